"""All checks, in the order in which they are shown; the slow ones work while the others are shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from platform.diagnosis import folders, library_checks, packages, prepared_sets, ray_place, ray_trial
from platform.diagnosis.finding import Check
from platform.errors import UserError, unknown_name
from platform.files.local_storage import temporary_folder
from platform.host.probe import Probe, ProbeError

LIBRARIES = "platform.diagnosis.libraries:library_facts"
LIBRARIES_TIMEOUT_SECONDS = 120.0
NAMES = (
    "python", "packages", "libraries", "gpu", "bf16", "paths", "shared-memory", "open-files", "cpus",
    "memory", "proxies", "folders", "disk", "data", "weights", "ray",
)  # fmt: skip
ASK_THE_LIBRARIES = frozenset({"libraries", "gpu", "bf16", "weights"})

Answer = Callable[[], Mapping[str, Any]]


@contextmanager
def all_checks(runs: Path, data_root: Path, skipped: Collection[str] = ()) -> Iterator[list[Check]]:
    """Context with the checks, but for those `skipped`. At its end all processes started for them are gone.

    Raises UserError for a name that is not in NAMES.
    """
    for name in skipped:
        if name not in NAMES:
            raise unknown_name("check", name, NAMES)
    wanted = [name for name in NAMES if name not in skipped]
    with ExitStack() as stack:
        facts = tried = _skipped
        if ASK_THE_LIBRARIES.intersection(wanted):
            facts = _begun(lambda: stack.enter_context(_libraries()))
        if "ray" in wanted:
            tried = _begun(lambda: stack.enter_context(ray_trial.ray_tried()))
        yield [check for check in _checks(runs, data_root, facts, tried) if check.name in wanted]


def _checks(runs: Path, data_root: Path, facts: Answer, tried: Answer) -> list[Check]:
    written = {"runs": runs, "data": data_root, "temporary files": temporary_folder()}
    return [
        Check("python", packages.python_version),
        Check("packages", packages.packages),
        Check("libraries", lambda: library_checks.imports(facts)),
        Check("gpu", lambda: library_checks.gpu(facts)),
        Check("bf16", lambda: library_checks.bf16(facts)),
        Check("paths", ray_place.paths),
        Check("shared-memory", ray_place.shared_memory),
        Check("open-files", ray_place.open_files),
        Check("cpus", ray_place.processors),
        Check("memory", ray_place.memory),
        Check("proxies", ray_place.proxies),
        Check("folders", lambda: folders.writable(written)),
        Check("disk", lambda: folders.disk_space(written)),
        Check("data", lambda: prepared_sets.prepared_sets(data_root)),
        Check("weights", lambda: library_checks.weights(facts)),
        Check("ray", lambda: ray_trial.ray_starts(tried)),
    ]


@contextmanager
def _libraries() -> Iterator[Answer]:
    with Probe(LIBRARIES, timeout_seconds=LIBRARIES_TIMEOUT_SECONDS) as probe:
        yield probe.answer


def _begun(begin: Callable[[], Answer]) -> Answer:
    """What `begin` yields, asked once however often it is called; its error is every caller's."""
    try:
        ask = begin()
    except (ProbeError, UserError) as error:
        failure = error

        def ask() -> Mapping[str, Any]:
            raise failure

    known: list[Mapping[str, Any] | ProbeError] = []

    def once() -> Mapping[str, Any]:
        if not known:
            try:
                known.append(ask())
            except ProbeError as error:
                known.append(error)
        (outcome,) = known
        if isinstance(outcome, ProbeError):
            raise outcome
        return outcome

    return once


def _skipped() -> Mapping[str, Any]:
    raise ProbeError("it was skipped")
