"""Methods: one module each, named after the method; their networks are in `networks/`.

Importing this package is cheap: `load_method` imports a method's module on demand.
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import UserError, unknown_name
from platform.files.opening import read_bytes

if TYPE_CHECKING:
    from platform.models.method import Method

DECLARATION = b"\nMETHOD = "
"""Begins the line of a method's file that makes the method. The other files of this folder have none."""


@functools.cache
def own_method_names() -> tuple[str, ...]:
    """Names of the methods of this repository, sorted."""
    files = Path(__file__).parent.glob("*.py")
    return tuple(sorted(path.stem for path in files if DECLARATION in read_bytes(path)))


def method_names() -> list[str]:
    """Names of all methods, those of registered plug-ins included, sorted."""
    from platform.models.plugins import plugin_names

    return sorted({*own_method_names(), *plugin_names()})


def load_method(name: str) -> Method:
    """The method called `name`. Raises UserError that lists the known ones."""
    from platform.models.plugins import plugin_method, plugin_names

    if name in plugin_names():
        return plugin_method(name)
    if name.partition(":")[0].endswith(".py"):
        raise UserError(
            f"a file of a method is named by --method, and other files by --plugins DIR and their names, but "
            f"got {name!r}; pass its folder as --plugins, and its name without .py here."
        )
    if name not in own_method_names():
        raise unknown_name("method", name, method_names())
    return _own_method(name)


@functools.cache
def _own_method(name: str) -> Method:
    from platform.models.options.fields import check_groups

    method: Method = importlib.import_module(f"platform.models.{name}").METHOD
    method.name = name
    check_groups(method.options)
    return method
