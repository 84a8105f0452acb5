"""Similar names: what copying, unpacking and renaming turn a file's name into."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

_COPY_MARK = re.compile(
    r"( \(\d+\)|\(\d+\)"  # a second download
    r"| - (copy|kopie|copie|copia|cópia)( \(\d+\))?"  # Windows
    r"|[ _-](copy|kopie)( \d+)?)$",  # macOS
    re.IGNORECASE,
)
_COPY_END = re.compile(
    r"(~|\.(bak|orig|old|tmp|temp|part|partial|crdownload|download|filepart|sav|swp|\d))$", re.IGNORECASE
)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")


def without_copy_marks(path: str) -> str:
    """`path` (with `/`) as it probably was before it was copied: `a.txt` for `a (1).txt`.

    Every name in it loses marks of copies, backups and unfinished downloads, a doubled extension and
    surrounding spaces; Unicode letters of other width or form become plain ones.
    """
    return "/".join(map(_plain, unicodedata.normalize("NFKC", path).split("/")))


def _plain(name: str) -> str:
    name = _COPY_END.sub("", name.strip())
    suffix = _SUFFIX.search(name)
    end = suffix[0] if suffix else ""
    stem = name.removesuffix(end).strip()
    while end and stem.lower().endswith(end.lower()):
        stem = stem[: -len(end)].strip()
    while (shorter := _COPY_MARK.sub("", stem).strip()) != stem and shorter:
        stem = shorter
    return stem + end.strip()


def is_document(name: str) -> bool:
    """Whether a file name is that of a document, a program or an archive rather than of data."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix in _DOCUMENTS or (
        suffix in ("", ".txt")
        and re.match(r"(read|licen[cs]e|copying|change|index|note)", name.lower()) is not None
    )


_DOCUMENTS = frozenset(
    {
        ".pdf", ".doc", ".docx", ".md", ".rtf", ".html", ".htm", ".ps", ".odt", ".ppt", ".pptx", ".tex",
        ".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".iso", ".z01", ".torrent", ".url",
        ".py", ".m", ".sh", ".bat", ".exe", ".mat", ".log", ".lnk", ".md5", ".sha1", ".sha256",
    }
)  # fmt: skip


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` matches except for case, marks of copies or a typing error, if any."""
    known = sorted(known)
    plain = without_copy_marks(name).casefold()
    for other in known:
        if other.casefold() == plain:
            return other
    found = difflib.get_close_matches(plain, [other.casefold() for other in known], n=1, cutoff=0.75)
    return next((other for other in known if found and other.casefold() == found[0]), None)
