"""The token of a Ray cluster, as this process would send it. It is never printed, only where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platform.errors import UserError
from platform.files.opening import read_text

MODE, VALUE, FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
"""Environment variables of Ray: whether tokens are used, the token, and a file that holds it."""
LARGEST_BYTES = 2**16
REMEDY = f"name the file with the cluster's token in {FILE}, or unset it."
HOW_TO_GIVE = (
    "copy the head's token to ~/.ray/auth_token of this user (mode 600), or name its file in "
    "RAY_AUTH_TOKEN_PATH"
)


@dataclass(frozen=True)
class Token:
    """A token and where it was found."""

    source: str
    value: str = field(repr=False)


def token_here(environment: Mapping[str, str], home: Path) -> Token | None:
    """The token that Ray would use, in Ray's order; None if there is none.

    UserError: the file that RAY_AUTH_TOKEN_PATH names cannot be read, or the token has characters that no
    token has.
    """
    if environment.get(VALUE, "").strip():
        return _checked(Token(VALUE, environment[VALUE].strip()))
    named = environment.get(FILE)
    path = Path(named) if named else home / ".ray" / "auth_token"
    if not named and not path.exists():
        return None
    text = read_text(path, largest_bytes=LARGEST_BYTES, remedy=REMEDY).strip()
    return _checked(Token(str(path), text)) if text else None


def _checked(token: Token) -> Token:
    if not (token.value.isascii() and token.value.isprintable()):
        raise UserError(
            f"a token is printable ASCII, but the one from {token.source} has other characters; "
            f"{HOW_TO_GIVE}."
        )
    return token
