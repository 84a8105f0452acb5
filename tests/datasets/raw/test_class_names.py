"""Names of classes in the user's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.raw.choices import Choices
from datasets.raw.class_names import ClassNames, read_renamed
from platform.errors import UserError


def test_a_map_gives_names_their_meaning() -> None:
    renamed = read_renamed(["Happy=happiness", "sad=Sadness"])
    assert renamed == (("happy", "happiness"), ("sad", "sadness"))
    classes = ClassNames(Choices(renamed=renamed))
    assert [classes.meant(name) for name in ("HAPPY", "sad", "Fear")] == ["happiness", "sadness", "fear"]
    classes.check_all_met(Path("faces"))


def test_own_classes_are_any_names_that_fit_into_file_names() -> None:
    classes = ClassNames(Choices(own_classes=True, renamed=(("no pain", "none"),)))
    assert [classes.meant(name) for name in ("Pain", "no pain", "level_2")] == ["pain", "none", "level_2"]


@pytest.mark.parametrize("pair", ["happy", "=happiness", "happy="])
def test_another_form_of_a_map_is_refused(pair: str) -> None:
    with pytest.raises(UserError, match="--map takes NAME=CLASS"):
        read_renamed([pair])


def test_two_meanings_are_refused() -> None:
    with pytest.raises(UserError, match="happy two meanings, happiness and joy"):
        read_renamed(["happy=happiness", "happy=joy"])


def test_a_name_that_the_folder_lacks_is_refused() -> None:
    classes = ClassNames(Choices(renamed=(("hapy", "happiness"),)))
    classes.meant("anger")
    with pytest.raises(UserError, match="--map names hapy, but faces has anger"):
        classes.check_all_met(Path("faces"))


@pytest.mark.parametrize(
    ("choices", "name", "message"),
    [
        (Choices(), "happy", "did you mean 'happiness'"),
        (Choices(renamed=(("x", "joyful"),)), "x", "unknown expression 'joyful'"),
        (Choices(own_classes=True), "pain/high", "at most 40 letters"),
    ],
)
def test_an_unknown_or_impossible_class_is_refused(choices: Choices, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ClassNames(choices).meant(name)
