"""Names that look the same are the same file's."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.files.names import NamesOnDisk, composed, is_utf8, with_slashes

JOSE = "José"
DECOMPOSED = unicodedata.normalize("NFD", JOSE)


def test_both_forms_of_a_letter_are_equal() -> None:
    assert DECOMPOSED != JOSE
    assert composed(DECOMPOSED) == composed(JOSE) == JOSE
    assert composed("S001_a") == "S001_a"


@pytest.mark.parametrize(("written", "path"), [
    ("imgs\\a.png", "imgs/a.png"), ("./imgs/a.png", "imgs/a.png"), (" a.png ", "a.png"), ("", ""),
    ("a//b.png", "a/b.png"), ("..\\a.png", "../a.png"), ("\\a.png", "/a.png"),
])  # fmt: skip
def test_paths_of_other_systems_are_read(written: str, path: str) -> None:
    assert with_slashes(written) == path


def test_a_file_is_found_under_the_other_form_of_its_name(tmp_path: Path) -> None:
    folder = tmp_path / DECOMPOSED
    folder.mkdir()
    (folder / f"{JOSE}.png").touch()
    names = NamesOnDisk(tmp_path)
    assert names.find(f"{JOSE}/{DECOMPOSED}.png") == f"{DECOMPOSED}/{JOSE}.png"
    assert names.find(f"{DECOMPOSED}/{JOSE}.png") == f"{DECOMPOSED}/{JOSE}.png"
    for absent in (f"{JOSE}/other.png", f"other/{JOSE}.png", "plain.png", f"{JOSE}\0"):
        assert names.find(absent) == absent


def test_a_name_that_is_no_text_is_told_apart_and_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    assert not is_utf8(name)
    assert is_utf8("café.png")
    assert str(UserError(f"cannot read {name}")) == "cannot read caf\\xe9.png"
