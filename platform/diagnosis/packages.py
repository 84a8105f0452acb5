"""The interpreter, and the installed packages compared with requirements.lock."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path

from platform.diagnosis.finding import Finding
from platform.files.opening import read_text
from platform.host.ray_paths import REPOSITORY

LOCK = REPOSITORY / "requirements.lock"
VENV_PYTHON = REPOSITORY / ".venv" / "bin" / "python"
OLDEST, NEWEST = (3, 11), (3, 13)
"""As in pyproject.toml and the Makefile."""
REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]*?))?\s*\\?$")
SHOWN = 5
"""Packages named in a line, at most."""


def python_version(
    version: tuple[int, ...] = tuple(sys.version_info[:3]),
    executable: str = sys.executable,
    venv: Path = VENV_PYTHON,
) -> Finding:
    """The interpreter that runs this."""
    shown = f"{'.'.join(map(str, version[:3]))} ({executable})"
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return Finding("ok", "Python", shown)
    return Finding("failed", "Python", f"{shown}, but 3.11 to 3.13 is needed", _set_up(executable, venv))


def locked_packages(lock: Path = LOCK) -> dict[str, tuple[str, str]]:
    """Name of each package in the lock file to its version and its marker (empty: needed everywhere)."""
    found = {}
    for line in read_text(lock).splitlines():
        match = REQUIREMENT.match(line)
        if match:
            found[normal(match["name"])] = match["version"], (match["marker"] or "").strip()
    return found


def installed_packages() -> dict[str, str]:
    """Name to version of what this interpreter finds; the first of two wins, as in an import."""
    found: dict[str, str] = {}
    for one in distributions():
        name = one.metadata["Name"]
        if name:
            found.setdefault(normal(name), one.version)
    return found


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def applies(marker: str) -> bool:
    """Whether a package with this marker is needed on this machine. ImportError: `packaging` is missing."""
    if not marker:
        return True
    from packaging.markers import Marker

    return Marker(marker).evaluate()


def packages(
    locked: Callable[[], Mapping[str, tuple[str, str]]] = locked_packages,
    installed: Callable[[], Mapping[str, str]] = installed_packages,
    is_needed: Callable[[str], bool] = applies,
    executable: str = sys.executable,
    venv: Path = VENV_PYTHON,
) -> Finding:
    """Whether all of the lock file is installed, in its versions. A build (`+cpu`) is not compared."""
    here = installed()
    try:
        wanted = {name: version for name, (version, marker) in locked().items() if is_needed(marker)}
    except ImportError:  # the package that reads markers is missing, and hardly alone
        wanted = {name: version for name, (version, _) in locked().items()}
    missing = [name for name in wanted if name not in here]
    other = [
        f"{name} {here[name]}, not {version}"
        for name, version in wanted.items()
        if name in here and here[name].partition("+")[0] != version
    ]
    remedy = _set_up(executable, venv)
    if missing:
        parts = [f"missing {_some(missing)}", *([f"different {_some(other)}"] if other else [])]
        return Finding(
            "failed", "packages", f"{len(wanted)} in requirements.lock: {'; '.join(parts)}", remedy
        )
    if other:
        value = f"{len(wanted)} in requirements.lock, all installed, but different: {_some(other)}"
        return Finding("warning", "packages", value, f"{remedy}; other versions can change last digits")
    return Finding("ok", "packages", f"{len(wanted)}, as in requirements.lock")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{len(names)} ({', '.join(names[:SHOWN])}{more})"


def _set_up(executable: str, venv: Path) -> str:
    # Not resolved: a virtual environment's interpreter is a link to the one that it was made from.
    if venv.exists() and Path(executable).absolute() != venv.absolute():
        return "use the checkout's own interpreter, .venv/bin/python"
    return "make setup"
