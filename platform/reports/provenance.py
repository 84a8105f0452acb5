"""Provenance of an experiment: where, when and by which code its fold runs were computed, and how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from platform.host.checkout import describe

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore

UNKNOWN = "unknown"
"""Of results stored before these facts were."""


def provenance_lines(store: ResultsStore, experiment: Mapping[str, Any]) -> dict[str, str]:
    """Name to text, for the fold runs of all rows; those that are missing or failed are left out.

    Where fold runs differ, each value has its number of fold runs. UserError: a manifest is damaged.
    """
    identities = {run["identity"]: None for row in experiment["rows"] for run in row["runs"]}
    found = [store.manifest("fold_runs", identity) for identity in identities if identity is not None]
    manifests = [one for one in found if one is not None and one["status"] == "complete"]
    made: list[Mapping[str, Any]] = [one.get("provenance") or {} for one in manifests]
    lines = {
        "computed (UTC)": _span(made),
        "code (commit)": _counted(describe(one) for one in made),
        "host": _counted(_text(one, "host") for one in made),
        "processor": _counted(_processor(one) for one in made),
        "GPU": _counted(_gpu(one) for one in made),
        "libraries": _counted(_libraries(one) for one in manifests),
        "hours of compute": _hours(manifests, experiment),
    }
    return lines if manifests else {}


def _counted(values: Iterable[str]) -> str:
    counts = Counter(values)
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(
        f"{value}: {count} fold {'run' if count == 1 else 'runs'}" for value, count in counts.most_common()
    )


def _text(facts: Mapping[str, Any], name: str) -> str:
    return str(facts.get(name) or UNKNOWN)


def _span(made: list[Mapping[str, Any]]) -> str:
    times = sorted(str(one["time"]) for one in made if one.get("time"))
    if not times:
        return UNKNOWN
    first, last = (time.removesuffix("+00:00").replace("T", " ") for time in (times[0], times[-1]))
    return first if first == last else f"{first} to {last}"


def _processor(facts: Mapping[str, Any]) -> str:
    name, chosen = _text(facts, "processor"), facts.get("instructions")
    return f"{name}, {chosen}" if chosen else name


def _gpu(facts: Mapping[str, Any]) -> str:
    if not facts:
        return UNKNOWN
    if "gpu" not in facts:
        return "none (computed on the processor)"
    return f"{facts['gpu']}, driver {_text(facts, 'driver')}, CUDA {_text(facts, 'cuda')}"


def _libraries(manifest: Mapping[str, Any]) -> str:
    versions = manifest.get("libraries") or {}
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items())) or UNKNOWN


def _hours(manifests: list[dict[str, Any]], experiment: Mapping[str, Any]) -> str:
    """Of the rows' fold runs one after another, and of the search's."""
    seconds = sum(float(one.get("seconds") or 0.0) for one in manifests)
    text = f"{seconds / 3600:.3g} for the rows ({len(manifests)} fold runs)"
    searched = ((experiment.get("economy") or {}).get("run") or {}).get("hours")
    return f"{text}, {float(searched):.3g} for the search" if searched else text
