"""What machines put beside a user's files is known by name."""

from __future__ import annotations

import pytest

from platform.files.junk import is_junk


@pytest.mark.parametrize(
    "name",
    [
        "__MACOSX", "@eaDir", "._face.png", "Thumbs.db", "desktop.ini", "Desktop.ini", ".DS_Store",
        "$RECYCLE.BIN", "System Volume Information", "lost+found", ".Trash-1000", "#recycle", "Icon\r",
        "~$faces.xlsx", "face.png@SynoEAStream",
    ],
)  # fmt: skip
def test_junk_is_known(name: str) -> None:
    assert is_junk(name)


@pytest.mark.parametrize("name", ["S005", "face.png", "@anna", "lost", "MACOSX", "thumbs.png", "#1.png", "~"])
def test_a_users_names_are_no_junk(name: str) -> None:
    assert not is_junk(name)
