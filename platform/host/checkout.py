"""The commit of this checkout, and whether its sources were changed since.

Asked of git once a process; workers are told by the process that starts them (`told_to_workers`), so that a
search states what it started from. Facts alone: nothing is computed from them.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = ("platform", "datasets", "search_spaces", "requirements.lock")
"""What can change a result; notes, tests and data beside them do not count."""
COPIED_FILE = "COMMIT"
"""In a copy without git (`make cluster-source`): the commit, and a line for each changed file."""
TOLD = "PLATFORM_CHECKOUT"
"""Environment variable: `COMMIT clean`, `COMMIT changed` or `unknown`."""
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Checkout:
    """The version of the code."""

    commit: str | None = None
    """40 or 64 hexadecimal digits; None: unknown, because there is no git or the code is no checkout."""
    clean: bool | None = None
    """Whether SOURCES are those of the commit; None: unknown."""


UNKNOWN = Checkout()


@functools.cache
def checkout() -> Checkout:
    """The version of the code that this process runs."""
    told = os.environ.get(TOLD)
    return read_checkout(REPOSITORY) if told is None else _parsed(told)


def told_to_workers() -> dict[str, str]:
    """The environment that tells a new process what `checkout` says here."""
    known = checkout()
    if known.commit is None:
        return {TOLD: "unknown"}
    state = {True: "clean", False: "changed", None: "unknown"}[known.clean]
    return {TOLD: f"{known.commit} {state}"}


def sources_hash(root: Path = REPOSITORY) -> str:
    """SHA-256 (64 hexadecimal digits) over the names and contents of the Python files of SOURCES.

    Two machines with the same hash run the same code, with or without git.
    """
    digest = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _parsed(told: str) -> Checkout:
    commit, _, state = told.partition(" ")
    if not _is_commit(commit):
        return UNKNOWN
    return Checkout(commit, {"clean": True, "changed": False}.get(state))


def read_checkout(root: Path, git: str = "git") -> Checkout:
    """The version of the code in the folder `root`, as git or a copied file says; UNKNOWN without either."""
    # A folder inside another repository has that one's commit, which says nothing of it.
    answer = _asked(root, git, "rev-parse", "--show-toplevel", "HEAD")
    lines = (answer or "").splitlines()
    if len(lines) != 2 or not Path(lines[0]).exists() or not Path(lines[0]).samefile(root):
        return _copied(root)
    changed = _asked(root, git, "--no-optional-locks", "status", "--porcelain", "--", *SOURCES)
    return Checkout(lines[1], None if changed is None else not changed.strip())


def _asked(root: Path, git: str, *words: str) -> str | None:
    """What git prints; None where it fails, does not exist or takes too long."""
    # Variables such as GIT_DIR, set inside hooks, name another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            [git, "-C", str(root), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.decode(errors="replace")


def _copied(root: Path) -> Checkout:
    try:
        lines = (root / COPIED_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return UNKNOWN
    return Checkout(lines[0], len(lines) == 1) if lines and _is_commit(lines[0]) else UNKNOWN


def _is_commit(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) is not None


def describe(facts: Mapping[str, object]) -> str:
    """`3f3ee7b0c1d2 (clean)`, `... (changed since)`, `unknown`, from the facts `commit` and `clean`."""
    commit = facts.get("commit")
    if not isinstance(commit, str):
        return "unknown"
    state = {True: "clean", False: "changed since"}.get(facts.get("clean"), "unknown whether changed")  # type: ignore[call-overload]
    return f"{commit[:12]} ({state})"
