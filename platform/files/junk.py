"""Names of files that operating systems, network drives and cloud folders add to a user's folders.

Every reader of folders skips what `is_junk` recognises.
"""

from __future__ import annotations

JUNK_NAMES = frozenset(
    {
        # macOS, also in its zip files and on the drives it visits
        "__macosx", "network trash folder", "temporary items", "icon\r",
        # Windows
        "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "iconcache.db", "autorun.inf",
        "$recycle.bin", "recycler", "recycled", "system volume information",
        # Linux
        "lost+found",
        # Synology and QNAP
        "@eadir", "@tmp", "@recycle", "@recently-snapshot", "@sharebin", "@__thumb", "#recycle", "#snapshot",
        # programs that look at pictures
        "picasa.ini", "zbthumbnail.info",
    }
)  # fmt: skip
"""In lower case. The contents of such folders are junk too."""

JUNK_ENDS = ("@synoeastream", "@synoresource")
"""Endings of the attribute files that Synology keeps beside a file."""


def is_junk(name: str) -> bool:
    """Whether a file or folder called `name` is not the user's: hidden, or known to be added by a system.

    Hidden are names that begin with a dot (`.DS_Store`, `._face.png`, `.Trash-1000`) and the lock files of
    office programs (`~$faces.xlsx`).
    """
    lower = name.lower()
    return name.startswith((".", "~$")) or lower in JUNK_NAMES or lower.endswith(JUNK_ENDS)
