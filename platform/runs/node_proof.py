"""What a node of a cluster must show before it gets a task, and what it lacks, in words.

The node gathers facts (`node_facts`), and the dispatcher compares them with its own (`lacking`). Of a
prepared set a node shows its manifests and the size of its images: whoever opens a set checks every byte.
Libraries that only some nodes build for their GPUs (`2.13.0+cu130`) count as the same version.
"""

from __future__ import annotations

import functools
import socket
import sys
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from datasets.prepared.layer_files import read_layer_manifest
from datasets.prepared.store_files import open_images, read_manifest
from platform.errors import UserError
from platform.files.late import found_late
from platform.files.opening import MissingFile, read_bytes
from platform.files.writing import cannot_write
from platform.host.checkout import sources_hash
from platform.host.gpus import GpusThere, gpus_here
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.execute import LIBRARIES
from platform.runs.tasks import Task, below

FOLDER = "nodes"
"""In the driver's folder: its token, and what nodes write."""
TOKEN_FILE = "token"
CLOCK_SECONDS = 300.0
"""Difference between two clocks from which on a node gets nothing. Leases and attempts compare no clocks of
two machines; Kerberos, which network file systems use, refuses five minutes, and the times in manifests and
event logs stay comparable."""
CLOCK_STEP_SECONDS = 1.0
"""By which a clock may be set while it is compared."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """A prepared set that tasks read."""

    folder: str
    hash: str
    layers: tuple[tuple[str, str], ...] = ()
    """Name and hash of each layer that they read."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a node must show; travels to it."""

    folder: str
    """What the driver shares with its workers (`driver_folder` in platform/runs/attempts.py)."""
    runs_root: str
    token: str
    code: str
    """`sources_hash` of the dispatcher's host."""
    libraries: Mapping[str, str]
    stores: tuple[Store, ...] = ()
    on_gpus: bool = False
    """Whether runs hold GPUs."""


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What a node shows."""

    host: str
    code: str
    libraries: Mapping[str, str]
    runs: str = ""
    """Why the runs folder is not the dispatcher's; empty: its token was read, and another one written."""
    stores: tuple[str, ...] = ()
    """Why prepared sets cannot be used there, a clause each."""
    clock: float = field(default=0.0)
    """Seconds since 1970 (UTC), when the facts were complete."""
    gpus: GpusThere | None = None
    """None: not asked."""


class UnfitNode(EnvironmentFailure):
    """A node lacks something, so it gets nothing; no attempt at the task is counted."""

    def __init__(self, lacks: Iterable[str], host: str, node: str) -> None:
        """lacks: sentences. node: Ray's id of it."""
        self.lacks, self.node = tuple(lacks), node
        super().__init__(" ".join(self.lacks).rstrip("."), host)

    def __reduce__(self) -> tuple[object, ...]:
        return (UnfitNode, (self.lacks, self.host, self.node))


def stores_of(tasks: Iterable[Task]) -> tuple[Store, ...]:
    """The prepared sets that the tasks read, and the artifacts that they rest on."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for task in tasks:
        for one in (task, *below(task).values()):
            found.setdefault((one.data.folder, one.data.hash), {}).update(one.data.layers)
    return tuple(
        Store(folder=folder, hash=digest, layers=tuple(sorted(layers.items())))
        for (folder, digest), layers in sorted(found.items())
    )


@functools.cache
def code_here() -> str:
    """`sources_hash` of this process's code."""
    return sources_hash()


def libraries_here() -> dict[str, str]:
    """Versions of Python and of the libraries that change results or that processes talk through."""
    found = {"Python": ".".join(map(str, sys.version_info[:2]))}
    for name in LIBRARIES:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            found[name] = ""
    return found


def expected_of_nodes(folder: Path, runs_root: Path, *, on_gpus: bool) -> Expected:
    """As the driver: what this process has, with a new token, which is written. UserError: it cannot be."""
    expected = Expected(
        folder=str(folder),
        runs_root=str(runs_root),
        token=uuid.uuid4().hex,
        code=code_here(),
        libraries=libraries_here(),
        on_gpus=on_gpus,
    )
    try:
        own = _folder(expected)
        own.mkdir(parents=True, exist_ok=True)
        (own / TOKEN_FILE).write_text(expected.token, encoding="ascii")
    except OSError as error:
        raise cannot_write(error) from error
    return expected


def node_facts(expected: Expected, node: str, offers_gpus: bool = False) -> NodeFacts:
    """The facts of this machine, gathered in a few seconds. node: a name for the file that it writes."""
    return NodeFacts(
        host=socket.gethostname(),
        code=code_here(),
        libraries=libraries_here(),
        runs=_runs_folder(expected, node),
        stores=tuple(problem for store in expected.stores if (problem := _store(store))),
        gpus=gpus_here() if expected.on_gpus and offers_gpus else None,
        clock=time.time(),
    )


def lacking(
    expected: Expected,
    facts: NodeFacts,
    *,
    asked_at: float | None = None,
    answered_at: float | None = None,
    gpus_offered: float = 0.0,
) -> list[str]:
    """What the node lacks, one sentence each with its remedy; empty: it may get tasks.

    asked_at, answered_at: the dispatcher's clock before and after (None: not compared). gpus_offered: GPUs
    that Ray says the node has.
    """
    found = [
        *_libraries_lacking(expected.libraries, facts.libraries),
        *([facts.runs] if facts.runs else []),
        *facts.stores,
    ]
    if facts.code != expected.code:
        found.insert(
            0,
            f"its code is not the dispatcher's (hash {facts.code[:12]}, not {expected.code[:12]}): bring the "
            "same checkout there and start Ray there again",
        )
    if asked_at is not None and answered_at is not None:
        found += _clock_lacking(asked_at, facts.clock, answered_at)
    if facts.gpus is not None and len(facts.gpus.gpus) < int(gpus_offered):
        found.append(_gpus_lacking(facts.gpus, int(gpus_offered)))
    return [f"{one}." for one in found]


def _libraries_lacking(wanted: Mapping[str, str], has: Mapping[str, str]) -> list[str]:
    differing = [
        f"{name} {has.get(name) or 'is missing'}, not {version}"
        for name, version in wanted.items()
        if has.get(name) != version
    ]
    if not differing:
        return []
    return [f"its libraries differ ({'; '.join(differing)}): install requirements.lock there"]


def _clock_lacking(asked_at: float, clock: float, answered_at: float) -> list[str]:
    behind = max(0.0, asked_at - CLOCK_STEP_SECONDS - clock)
    ahead = max(0.0, clock - answered_at - CLOCK_STEP_SECONDS)
    if max(behind, ahead) <= CLOCK_SECONDS:
        return []
    which = f"{behind:.0f} s behind" if behind else f"{ahead:.0f} s ahead of"
    return [
        f"its clock is {which} the dispatcher's (at most {CLOCK_SECONDS:.0f} s are allowed): "
        "set it, with chrony or ntpd"
    ]


def _gpus_lacking(gpus: GpusThere, offered: int) -> str:
    if not gpus.gpus:
        return f"torch cannot use its GPUs: {gpus.why_none}"
    return (
        f"Ray offers {offered} GPUs there, but torch sees {len(gpus.gpus)} ({gpus.describe()}): start Ray "
        f"there with --num-gpus {len(gpus.gpus)}"
    )


def _store(store: Store) -> str:
    """Why the prepared set cannot be used on this machine; empty if it can."""
    folder = Path(store.folder)
    try:
        manifest = read_manifest(folder)
        if manifest["hash"] != store.hash:
            return (
                f"the prepared set {folder} there has other contents (hash {manifest['hash'][:12]}, not "
                f"{store.hash[:12]}): copy the driver's there"
            )
        open_images(folder, manifest)
        for name, digest in store.layers:
            if read_layer_manifest(folder, name)["hash"] != digest:
                return f"the layer {name} of {folder} there has other contents: copy the driver's there"
    except UserError as error:
        return f"a prepared set cannot be read there ({str(error).rstrip('.')}), or mount --data-root there"
    return ""


def _runs_folder(expected: Expected, node: str) -> str:
    """Reads the dispatcher's token and writes one for it to read."""
    problem = _token_read(expected)
    if problem:
        return problem
    path = _folder(expected) / node
    try:
        path.write_text(expected.token, encoding="ascii")
    except OSError as error:
        return f"nothing can be written to {path.parent} there ({error.strerror}): make it writable there"
    return ""


def _token_read(expected: Expected) -> str:
    folder, runs = _folder(expected), Path(expected.runs_root)
    on_the_way = (folder.parents[2], folder.parents[1], folder.parent, folder)
    read = found_late(lambda: _token(folder / TOKEN_FILE), *on_the_way)
    if read == expected.token:
        return ""
    what = "is not there" if not runs.is_dir() else "is another folder there (it lacks what the driver wrote)"
    return f"the runs folder {runs} {what}: mount the driver's folder there, at the same path"


def _token(path: Path) -> str | None:
    try:
        return read_bytes(path, largest_bytes=1024).decode("ascii", errors="replace")
    except MissingFile:
        return None
    except UserError as error:
        return str(error)


def token_read_back(expected: Expected, node: str) -> str:
    """As the dispatcher: what the node lacks whose token does not come; empty if it came."""
    folder = _folder(expected)
    if found_late(lambda: _token(folder / node), folder) == expected.token:
        return ""
    return (
        f"what it writes to {folder} does not arrive: mount the driver's runs folder there, at the same path."
    )


def _folder(expected: Expected) -> Path:
    return Path(expected.folder) / FOLDER
