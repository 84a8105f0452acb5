"""Two spellings of one person are refused."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from datasets.raw.subject_names import check_spelling
from platform.errors import UserError


def test_different_names_pass() -> None:
    check_spelling(["S001", "S002", "S001", "Ümit", "Anna B", "Anna C"], Path("faces"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("S005", "s005"),
        ("Anna B", "Anna  B "),
        (unicodedata.normalize("NFC", "Ümit"), unicodedata.normalize("NFD", "Ümit")),
        ("S001", "Ｓ００１"),
        ("Straße", "STRASSE"),
    ],
)
def test_one_person_in_two_spellings_is_refused(first: str, second: str) -> None:
    with pytest.raises(UserError, match="faces spells one subject in two ways") as raised:
        check_spelling([first, "other", second], Path("faces"))
    assert ascii(first) in str(raised.value)
    assert ascii(second) in str(raised.value)
