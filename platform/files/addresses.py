"""Addresses (`s3://bucket/runs`) where the path of a file or folder belongs.

`Path` would take one for the name of a folder here, and results would lie where nobody looks for them.
"""

from __future__ import annotations

import re

from platform.errors import UserError

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|^(?:file|s3a?|gs|gcs|https?|hdfs|abfss?):/", re.IGNORECASE)
_SECRET = re.compile(r"(?<=://)[^/@\s:]*:\S*(?=@)")


def is_address(text: str) -> bool:
    """Whether `text` names a place by a scheme and not by a path; `file:` too, which nothing here reads."""
    return _ADDRESS.search(text) is not None


def without_secret(text: str) -> str:
    """`text` with the name, but without the password, of whoever logs in at an address."""
    return _SECRET.sub(lambda login: login[0].partition(":")[0], text)


def refuse_address(text: str, given_by: str) -> None:
    """UserError if `text` is an address. given_by: the flag or key, for the message."""
    if is_address(text):
        raise UserError(
            f"files and folders must lie on a disk or a mounted file system, but {given_by} is "
            f"{without_secret(text)!r}; mount a shared POSIX file system (NFS, EFS, FSx) on every node and "
            "pass the path of its folder, or copy the files here with the cloud's own tool (aws s3 sync, "
            "gsutil rsync)."
        )
