"""What a check found: a state, a value and, unless all is well, a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from platform.errors import UserError

State = Literal["ok", "warning", "failed"]
"""`warning`: commands run, but slower or with less; `failed`: something that they need is missing."""


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis."""

    state: State
    name: str
    """Of what was looked at, in a word or two."""
    value: str
    """What is there."""
    remedy: str = ""
    """What to do; empty where nothing needs to be done."""

    def as_record(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Check:
    """One question to the machine."""

    name: str
    ask: Callable[[], Finding | Iterable[Finding]]


def findings(checks: Iterable[Check]) -> Iterator[Finding]:
    """What each check found, in order. A check that fails is a finding, and the next one follows."""
    for check in checks:
        try:
            found = check.ask()
            yield from [found] if isinstance(found, Finding) else list(found)
        except UserError as error:
            yield Finding("failed", check.name, *value_and_remedy(error))
        except Exception as error:
            yield _crashed(check, error)


def value_and_remedy(error: UserError) -> tuple[str, str]:
    """The two halves of a message of ours; the second is empty where it has one."""
    text = str(error).rstrip(".")
    value, separator, remedy = text.rpartition("; ")
    return (value, remedy) if separator else (text, "")


def _crashed(check: Check, error: Exception) -> Finding:
    text = (str(error).strip().splitlines() or [""])[0]
    shown = f"{type(error).__name__}: {text}" if text else type(error).__name__
    remedy = "make setup" if isinstance(error, ImportError) else "remove the cause, then look again"
    return Finding("failed", check.name, f"could not be checked ({shown})", remedy)


def any_failed(found: Iterable[Finding]) -> bool:
    """Whether something is missing that commands need."""
    return any(one.state == "failed" for one in found)
