"""Search spaces: one file each, an Optuna define-by-run function `suggest(trial) -> overrides`.

A space imports neither Ray nor torch. `first(base)` lists the configurations that a study tries
before its sampler proposes any, as values of the parameters that `suggest` asks for: the paper's and
the released one before all others. docs/search_spaces.md says how to add a file.

These files are the user's: whatever goes wrong in one is a UserError that names the file and the line.
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

if TYPE_CHECKING:
    import optuna

PUBLISHED_LAMBDA_MASK = (10.0, 0.1)
"""lambda_G of the paper and of the released code (docs/methods.md, §2.6): all in which the two differ."""
REMEDY = "correct the file (docs/search_spaces.md, A space of one's own)."


class Space(Protocol):
    """What a file of this folder offers."""

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """Fields of the configuration that this trial overrides; the others keep the base's values."""

    def first(self, base: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Parameter values to try first; `base` holds all fields of the preset's configuration."""


def published_first(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`given` with the paper's lambda_G, with the released one, and as it is where it has another."""
    published = [{**given, "lambda_mask": value} for value in PUBLISHED_LAMBDA_MASK]
    return published if dict(given) in published else [*published, dict(given)]


def space_names() -> list[str]:
    """The known spaces, sorted."""
    files = (path for folder in __path__ for path in Path(folder).glob("*.py"))
    return sorted(path.stem for path in files if path.stem != "__init__")


def load_space(name: str) -> Space:
    """The space of that name; what its functions raise or return amiss is a UserError that says where.

    UserError lists the known spaces, or says what is wrong with the file or what it lacks.
    """
    if name not in space_names():
        raise unknown_name("search space", name, space_names())
    file = f"search_spaces/{name}.py"
    try:
        module = importlib.import_module(f"search_spaces.{name}")
    except UserError:
        raise
    except Exception as error:
        raise _raised(f"importing {file}", error) from error
    lacking = [function for function in ("suggest", "first") if not callable(getattr(module, function, None))]
    if lacking:
        raise UserError(
            f"a search space defines suggest(trial) and first(base), but {file} has no "
            f"{' and no '.join(lacking)}; see docs/search_spaces.md."
        )
    space = SimpleNamespace(
        __doc__=module.__doc__,
        suggest=_Guarded(f"suggest(trial) of {file}", module.suggest, _unfit_fields),
        first=_Guarded(f"first(base) of {file}", module.first, _unfit_list),
    )
    return cast(Space, space)


class _Guarded:
    """A function of a space's file: what it raises or returns amiss is a UserError."""

    def __init__(self, called: str, function: Callable[[Any], Any], unfit: Callable[[Any], str]) -> None:
        """`unfit` says which rule a result breaks, and how; empty where none."""
        functools.update_wrapper(self, function)
        self._called, self._function, self._unfit = called, function, unfit

    def __call__(self, argument: Any) -> Any:
        try:
            result = self._function(argument)
        except UserError:
            raise
        except Exception as error:
            if _is_optunas_own(error):
                raise
            raise _raised(self._called, error) from error
        problem = self._unfit(result)
        if problem:
            raise UserError(f"{self._called} must return {problem}; {REMEDY}")
        return result


def _raised(called: str, error: Exception) -> UserError:
    message = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split()).removesuffix(".")
    where = _where(error)
    return UserError(
        f"{called} must raise nothing, but raised {type(error).__name__}: {message}"
        f"{f' ({where})' if where else ''}; {REMEDY}"
    )


def _where(error: Exception) -> str:
    """The deepest line in a space's file that the error came through; empty where none is known."""
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        lines.append((error.filename, error.lineno))
    files = {str(Path(folder, f"{name}.py")): name for folder in __path__ for name in space_names()}
    places = [f"search_spaces/{files[file]}.py, line {line}" for file, line in lines if file in files]
    return places[-1] if places else ""


def _is_optunas_own(error: Exception) -> bool:
    """Whether a sampler or a storage failed while the space asked for a value, which no file can correct.

    A storage too calls Optuna's distributions, which refuse what a space asks for.
    """
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    within = any(name.startswith(("optuna.samplers", "optuna.storages")) for name in modules)
    return within and modules[-1] != "optuna.distributions"


def _unfit_fields(result: Any) -> str:
    if not isinstance(result, dict):
        return f"a dict of fields of the configuration, but returned {reprlib.repr(result)}"
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
            return f"finite numbers, words and booleans, but returned {name}: {reprlib.repr(value)}"
        if not isinstance(name, str):
            return f"names with their values, but returned the name {reprlib.repr(name)}"
    return ""
