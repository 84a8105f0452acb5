"""Search spaces: one module each, with an Optuna define-by-run function `suggest(trial) -> overrides`.

A plug-in (platform/models/plugins.py) may define both functions itself; its space is then called as it is.

A space imports neither Ray nor torch. `first(base)` lists the initial trials of a study, which run before the
sampler proposes any, as values of the parameters that `suggest` asks for: the paper's and the released
configuration come first. docs/search_spaces.md explains how to add a space.

Users write these files, so every error in one becomes a UserError that names the file and the line.
"""

from __future__ import annotations

import functools
import importlib
import json
import reprlib
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, cast

from platform.errors import UserError, unknown_name
from platform.models.plugins import plugin_spaces

if TYPE_CHECKING:
    import optuna

PUBLISHED_LAMBDA_MASK = (10.0, 0.1)
"""lambda_G of the paper and of the released code (docs/methods.md, §2.6), their only difference."""
REMEDY = "correct the file (docs/search_spaces.md, Write a search space)."


class Space(Protocol):
    """The interface of a search space module."""

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """Configuration fields that this trial overrides; the others keep the preset's values."""

    def first(self, base: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Parameter values of the initial trials; `base` holds all fields of the preset's configuration."""


def published_first(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`given` with the paper's lambda_G, with the released one, and unchanged if it has another."""
    published = [{**given, "lambda_mask": value} for value in PUBLISHED_LAMBDA_MASK]
    return published if dict(given) in published else [*published, dict(given)]


def space_names() -> list[str]:
    """Names of all search spaces, sorted."""
    files = (path for folder in __path__ for path in Path(folder).glob("*.py"))
    return sorted({*(path.stem for path in files if path.stem != "__init__"), *plugin_spaces()})


def space_file(name: str) -> str:
    """The file of a space, for messages."""
    plugin = plugin_spaces().get(name)
    return f"search_spaces/{name}.py" if plugin is None else str(plugin.__file__)


def load_space(name: str) -> Space:
    """The space called `name`; its functions turn errors in the file into UserErrors with file and line.

    Raises UserError for an unknown name, for a module that cannot be imported, and for a missing function.
    """
    if name not in space_names():
        raise unknown_name("search space", name, space_names())
    plugin, file = plugin_spaces().get(name), space_file(name)
    try:
        module = plugin or importlib.import_module(f"search_spaces.{name}")
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise _raised(f"importing {file}", error) from error
    lacking = [function for function in ("suggest", "first") if not callable(getattr(module, function, None))]
    if lacking:
        raise UserError(
            f"a search space must define suggest(trial) and first(base), but {file} has no "
            f"{' and no '.join(lacking)}; see docs/search_spaces.md."
        )
    space = SimpleNamespace(
        __doc__=module.__doc__,
        suggest=_Guarded(f"suggest(trial) of {file}", module.suggest, _unfit_fields),
        first=_Guarded(f"first(base) of {file}", module.first, _unfit_list),
    )
    return cast(Space, space)


class _Guarded:
    """A function of a search space; its exceptions and invalid results become UserErrors."""

    def __init__(self, called: str, function: Callable[[Any], Any], unfit: Callable[[Any], str]) -> None:
        """`unfit` describes which rule a result breaks, and how; empty if none."""
        functools.update_wrapper(self, function)
        self._called, self._function, self._unfit = called, function, unfit

    def __call__(self, argument: Any) -> Any:
        try:
            result = self._function(argument)
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            if _is_optunas_own(error):
                raise
            raise _raised(self._called, error) from error
        problem = self._unfit(result)
        if problem:
            raise UserError(f"{self._called} must return {problem}; {REMEDY}")
        return result


def _raised(called: str, error: BaseException) -> UserError:
    message = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split()).removesuffix(".")
    where = _where(error)
    return UserError(
        f"{called} must raise nothing, but raised {type(error).__name__}: {message}"
        f"{f' ({where})' if where else ''}; {REMEDY}"
    )


def _where(error: BaseException) -> str:
    """The innermost line of a search space in the traceback; empty if unknown."""
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        lines.append((error.filename, error.lineno))
    files = {str(Path(folder, f"{name}.py")): name for folder in __path__ for name in space_names()}
    places = [f"search_spaces/{files[file]}.py, line {line}" for file, line in lines if file in files]
    return places[-1] if places else ""


def _is_optunas_own(error: BaseException) -> bool:
    """Whether Optuna's sampler or storage failed, which no change to the space can correct.

    An error from Optuna's distributions is the space's, even below a storage: they reject invalid parameters.
    """
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    within = any(name.startswith(("optuna.samplers", "optuna.storages")) for name in modules)
    return within and modules[-1] != "optuna.distributions"


def _unfit_fields(result: Any) -> str:
    if not isinstance(result, dict):
        return f"a dict of configuration fields, but returned {reprlib.repr(result)}"
    return _unfit_value(result)


def _unfit_list(result: Any) -> str:
    if not isinstance(result, list | tuple) or not all(isinstance(values, dict) for values in result):
        return f"a list of dicts of parameter values, but returned {reprlib.repr(result)}"
    return next(filter(None, map(_unfit_value, result)), "")


def _unfit_value(values: Mapping[Any, Any]) -> str:
    for name, value in values.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            return f"finite numbers, strings and booleans, but returned {name}: {reprlib.repr(value)}"
        if not isinstance(name, str):
            return f"names as strings, but returned the name {reprlib.repr(name)}"
    return ""
