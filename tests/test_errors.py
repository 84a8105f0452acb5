from __future__ import annotations

from platform.errors import UserError, unknown_name


def test_an_unknown_name_is_answered_with_the_nearest_and_all_known_ones() -> None:
    error = unknown_name("method", "fmpm", ["fmpn", "cnn"])
    assert isinstance(error, UserError)
    assert str(error) == "unknown method 'fmpm'; did you mean 'fmpn'? Known: cnn, fmpn."


def test_a_name_near_to_nothing_is_answered_without_a_guess() -> None:
    assert str(unknown_name("method", "xyz", iter(["fmpn", "cnn"]))) == (
        "unknown method 'xyz'. Known: cnn, fmpn."
    )
