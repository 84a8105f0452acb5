"""A dry run plans as the real start does, and writes nothing: no set is drawn, prepared or merged for it, no
verification remembered, no log opened.

Whether one goes on is a context variable: those who would write stand at the far end of planning, and none
of the functions between them and the command has a use for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_DRY: ContextVar[bool] = ContextVar("dry_run", default=False)


@contextmanager
def dry_run(active: bool = True) -> Iterator[None]:
    """Within it nothing is written; `active` False changes nothing."""
    token = _DRY.set(active or _DRY.get())
    try:
        yield
    finally:
        _DRY.reset(token)


def is_dry_run() -> bool:
    """Whether we are within a dry run."""
    return _DRY.get()
