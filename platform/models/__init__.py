"""Methods: one module each, named after the method; their networks are in `networks/`.

Importing this package is cheap: `load_method` imports a method's module on demand.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import unknown_name

if TYPE_CHECKING:
    from platform.models.method import Method

NOT_METHODS = ("__init__", "method", "released_checkpoint")
"""Modules of this folder that define no method: the interface, and the loader of released checkpoints."""


def method_names() -> list[str]:
    """Names of all methods, sorted."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(path.stem for path in files if path.stem not in NOT_METHODS)


def load_method(name: str) -> Method:
    """The method called `name`. Raises UserError that lists the known ones."""
    if name not in method_names():
        raise unknown_name("method", name, method_names())
    method: Method = importlib.import_module(f"platform.models.{name}").METHOD
    return method
