"""Dry runs: planning without writing. No data set is drawn, prepared or merged, no verification is cached
and no log is opened.

The state is a context variable because the code that would write lies deep below planning, and no function
between it and the command needs the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_DRY: ContextVar[bool] = ContextVar("dry_run", default=False)


@contextmanager
def dry_run(active: bool = True) -> Iterator[None]:
    """A block in which nothing is written; with `active` False it changes nothing."""
    token = _DRY.set(active or _DRY.get())
    try:
        yield
    finally:
        _DRY.reset(token)


def is_dry_run() -> bool:
    """Whether the caller runs within a dry run."""
    return _DRY.get()
