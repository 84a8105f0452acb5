"""Methods: one file each, found by the file's name; their parts are in `networks/`.

Nothing heavy is imported here: a method's module is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import unknown_name

if TYPE_CHECKING:
    from platform.models.method import Method

NOT_METHODS = ("__init__", "method", "released_checkpoint")
"""Files of this folder that are no method: what methods are, and how the published one's weights load."""


def method_names() -> list[str]:
    """The known methods' names, sorted."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(path.stem for path in files if path.stem not in NOT_METHODS)


def load_method(name: str) -> Method:
    """The method of that name; UserError lists the known ones."""
    if name not in method_names():
        raise unknown_name("method", name, method_names())
    method: Method = importlib.import_module(f"platform.models.{name}").METHOD
    return method
