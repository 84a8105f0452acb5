"""The one kind of error that a user is meant to read: the rule, the value, the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can put right. Commands print it in one line and exit with status 2.

    Bytes of a file name that are not text are shown as `\\xe9`: no output can encode them otherwise.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(_encodable(str(message)))


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        # Python holds byte 0xE9 of a file name as the lone surrogate U+DCE9.
        return (
            "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in text)
            .encode("utf-8", "backslashreplace")
            .decode()
        )
    return text


class ClusterLost(UserError):
    """Ray's own processes have ended, and not by us: its C++ threads crash in an orderly end of ours."""


class LeaseLost(UserError):
    """Another driver has taken the lease. As the work is stopped in mid-air, Ray's threads may crash in an
    orderly end."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, as a batch system sends it before it takes the machine: ends a command as Ctrl-C does."""


class HungUp(KeyboardInterrupt):
    """SIGHUP, as it comes when the terminal or the connection goes away: ends a command as Ctrl-C does."""


class LeakageError(RuntimeError):
    """Code asked for images of subjects that this fold run must not see. Never the user's fault."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a `name` that is not one of the `known` names of its `kind`."""
    known = sorted(known)
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    return UserError(f"unknown {kind} {name!r}{hint} Known: {', '.join(known)}.")
