from __future__ import annotations

from pathlib import Path

import pytest

from platform.config.mask_source import mask_setting, mask_source
from platform.errors import UserError


@pytest.mark.parametrize(
    ("words", "name", "control", "released"),
    [
        (["own"], "own", None, False),
        (["uniform"], "uniform", "uniform", False),
        (["released", "DIR"], "released", None, True),
        (["permuted", "released", "DIR"], "permuted released", "permuted", True),
    ],
)
def test_what_the_flag_says_is_the_source(
    words: list[str], name: str, control: str | None, released: bool
) -> None:
    setting = mask_setting(words)
    assert setting is not None
    source = mask_source(setting)
    assert (source.name, source.control) == (name, control)
    assert source.released_folder == (Path("DIR").absolute() if released else None)


@pytest.mark.parametrize("words", [["blob"], ["released"], ["uniform", "released", "DIR"], ["own", "DIR"]])
def test_other_words_are_refused_with_the_known_ones(words: list[str]) -> None:
    with pytest.raises(UserError, match="`released DIR` or `permuted released DIR`"):
        mask_setting(words)


def test_without_the_flag_nothing_is_set() -> None:
    assert mask_setting(None) is None
