"""Methods that are not part of this repository: one Python file each, given by flag.

The file runs code of its author, so only a flag can name it, never a YAML file or stored settings. Its
SHA-256 is part of the identity of everything that it trains, and its text travels with the tasks.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.abc import SourceLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from platform.errors import UserError
from platform.files.opening import read_bytes
from platform.models.method import Method
from platform.models.options.configuration import Configuration
from platform.models.plugin_checks import check_declarations

LARGEST_BYTES = 2**20
"""Of a plug-in's file."""

_KNOWN: dict[str, Method] = {}
"""Methods of the plug-ins that this process has registered, by name."""
_MODULES: dict[str, ModuleType] = {}
"""Their modules."""
SPACE_FUNCTIONS = ("suggest", "first")
"""Functions that a plug-in may define to be its own search space, called as the method."""


@dataclass(frozen=True, kw_only=True)
class PlugIn:
    """The file of one method. Its name, without `.py`, is the method's name.

    Unpickling one registers its method in that process, so that a worker finds it.
    """

    name: str
    class_name: str
    source: bytes
    place: str
    """Path for messages and tracebacks."""

    @property
    def sha256(self) -> str:
        """Of the file's content, 64 hexadecimal digits."""
        return hashlib.sha256(self.source).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return _travelled, (self.name, self.class_name, self.source, self.place)

    def configuration(self, values: Mapping[str, Any]) -> Configuration:
        """The method's options with these values."""
        return _KNOWN[self.name].options(**values)


def _travelled(name: str, class_name: str, source: bytes, place: str) -> PlugIn:
    plugin = PlugIn(name=name, class_name=class_name, source=source, place=place)
    register(plugin)
    return plugin


def plugin_names() -> list[str]:
    """Names of the registered plug-ins, sorted."""
    return sorted(_KNOWN)


def plugin_method(name: str) -> Method:
    """The method of a registered plug-in. KeyError: no such plug-in."""
    return _KNOWN[name]


def plugin_spaces() -> dict[str, ModuleType]:
    """Names and modules of the plug-ins that define a search space of their own."""
    return {
        name: module
        for name, module in _MODULES.items()
        if name in _KNOWN and all(hasattr(module, function) for function in SPACE_FUNCTIONS)
    }


def read_plugin(text: str) -> PlugIn:
    """The plug-in that `FILE.py:Class`, or `FILE.py` with one method in it, names. UserError: unreadable."""
    place, _, class_name = text.rpartition(":") if ".py:" in text else (text, "", "")
    path = Path(place).expanduser()
    if not path.is_file():
        raise UserError(f"--method must name a file FILE.py:Class, but {place} is no file; correct the path.")
    if not path.stem.isidentifier():
        raise UserError(
            f"the name of a method's file becomes the method's name, so it must be letters, digits and "
            f"underscores, but got {path.name}; rename it."
        )
    source = read_bytes(path, largest_bytes=LARGEST_BYTES)
    return PlugIn(name=path.stem, class_name=class_name, source=source, place=str(path.resolve()))


def register(plugin: PlugIn) -> Method:
    """Load the plug-in's method and make it known by its name.

    UserError: the file fails to run, has no such method, or the method lacks a declaration; another plug-in
    of that name.
    """
    known = _KNOWN.get(plugin.name)
    if known is not None and known.plugin == plugin:
        return known
    if known is not None and known.plugin is not None and known.plugin.place != plugin.place:
        raise UserError(
            f"two methods cannot have one name, but {known.plugin.place} and {plugin.place} are both "
            f"{plugin.name}; rename one of the files."
        )
    own = Path(__file__).with_name(f"{plugin.name}.py")
    if own.exists():
        raise UserError(
            f"two methods cannot have one name, but {plugin.place} is called as platform/models/{own.name}; "
            "rename the file."
        )
    module = _module_of(plugin)
    kind = _method_class(plugin, module)
    check_declarations(kind, plugin.place)
    _check_space(plugin, module)
    method = _instance(plugin, kind)
    method.name, method.plugin = plugin.name, plugin
    # Its own class, because the declared one may be another method's, which stays as it is.
    own_options = type(
        kind.options.__name__, (kind.options,), {"origin": plugin, "__doc__": kind.options.__doc__}
    )
    method.options = dataclass(frozen=True, kw_only=True)(own_options)
    _KNOWN[plugin.name], _MODULES[plugin.name] = method, module
    return method


def _instance(plugin: PlugIn, kind: type[Method]) -> Method:
    try:
        return kind()
    except Exception as error:
        raise _raised(plugin, error) from error


def _check_space(plugin: PlugIn, module: ModuleType) -> None:
    """UserError: one of the two functions of a search space without the other."""
    having = [name for name in SPACE_FUNCTIONS if hasattr(module, name)]
    if len(having) == 1:
        (other,) = set(SPACE_FUNCTIONS) - set(having)
        raise UserError(
            f"a search space has suggest(trial) and first(base), but {plugin.place} has {having[0]} and no "
            f"{other}; add it (docs/search_spaces.md)."
        )


def fault_of(error: BaseException) -> UserError | None:
    """The error in words if it was raised within a registered plug-in's file; None otherwise."""
    for method in _KNOWN.values():
        if line_of(error, method.plugin):
            return _raised(method.plugin, error)
    return None


def _raised(plugin: PlugIn, error: BaseException) -> UserError:
    text = str(error.msg if isinstance(error, SyntaxError) else error)
    message = " ".join(text.split()).removesuffix(".")
    return UserError(
        f"the method's file must run without errors, but {plugin.place} raised {type(error).__name__}: "
        f"{message}{line_of(error, plugin)}; correct the file (docs/extending.md)."
    )


class _Text(SourceLoader):
    """Imports a module from the text of a plug-in, wherever its file is."""

    def __init__(self, plugin: PlugIn) -> None:
        self._plugin = plugin

    def get_filename(self, fullname: str) -> str:
        return self._plugin.place

    def get_data(self, path: Any) -> bytes:
        return self._plugin.source


def _module_of(plugin: PlugIn) -> ModuleType:
    loader = _Text(plugin)
    spec = spec_from_loader(f"method_{plugin.name}_{plugin.sha256[:12]}", loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module  # where dataclasses look up their annotations
    try:
        loader.exec_module(module)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise _raised(plugin, error) from error
    return module


def line_of(error: BaseException, plugin: PlugIn) -> str:
    """` (line 12)`, the innermost line of the file in the traceback; empty if unknown."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f" (line {error.lineno})"
    line, trace = 0, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == plugin.place else line
        trace = trace.tb_next
    return f" (line {line})" if line else ""


def _method_class(plugin: PlugIn, module: ModuleType) -> type[Method]:
    found = {
        name: one
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, Method) and one.__module__ == module.__name__
    }
    if plugin.class_name and plugin.class_name in found:
        return found[plugin.class_name]
    if not plugin.class_name and len(found) == 1:
        return next(iter(found.values()))
    what = f"no method {plugin.class_name}" if plugin.class_name else f"{len(found)} methods"
    raise UserError(
        f"a method's file must have one class derived from platform.models.method.Method, or FILE.py:Class "
        f"must name it, but {plugin.place} has {what} ({', '.join(sorted(found)) or 'none'}); correct it."
    )
