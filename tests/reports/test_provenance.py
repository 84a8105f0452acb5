"""Provenance in the report: one value, several with their numbers of fold runs, or unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.reports.provenance import provenance_lines
from platform.runs.store import ResultsStore
from tests.fake_runs import demo_experiment

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MADE = {
    "time": "2026-11-28T10:00:00+00:00", "host": "node1", "processor": "Some Xeon (avx512_bf16)",
    "instructions": "AVX512", "commit": COMMIT, "clean": True,
}  # fmt: skip
GPU = {"gpu": "NVIDIA H200", "driver": None, "cuda": "13.0"}


def stored(root: Path, *manifests: dict[str, Any]) -> tuple[ResultsStore, dict[str, Any]]:
    """A store with a fold run for each of `manifests`, and an experiment with one row of them."""
    store = ResultsStore(root)
    runs = []
    for number, facts in enumerate(manifests):
        identity = f"{number:024x}"
        store.write("fold_runs", identity, {}, {}, seconds=1800.0, **facts)
        runs.append({"fold": number, "identity": identity})
    return store, {"rows": [{"runs": runs}]}


def test_equal_facts_stand_once(tmp_path: Path) -> None:
    later = {**MADE, "time": "2026-11-28T12:30:00+00:00"}
    libraries = {"torch": "2.13.0", "numpy": "2.4.0"}
    store, experiment = stored(
        tmp_path, {"provenance": later, "libraries": libraries}, {"provenance": MADE, "libraries": libraries}
    )
    experiment["economy"] = {"run": {"hours": 2.5}}
    assert provenance_lines(store, experiment) == {
        "computed (UTC)": "2026-11-28 10:00:00 to 2026-11-28 12:30:00",
        "code (commit)": "0123456789ab (clean)",
        "host": "node1",
        "processor": "Some Xeon (avx512_bf16), AVX512",
        "GPU": "none (computed on the processor)",
        "libraries": "numpy 2.4.0, torch 2.13.0",
        "hours of compute": "1 for the rows (2 fold runs), 2.5 for the search",
    }


def test_different_facts_have_their_numbers_of_fold_runs(tmp_path: Path) -> None:
    other = {**MADE, **GPU, "host": "node2", "clean": False}
    store, experiment = stored(tmp_path, *({"provenance": one} for one in (MADE, other, MADE)))
    lines = provenance_lines(store, experiment)
    assert lines["computed (UTC)"] == "2026-11-28 10:00:00"
    assert lines["host"] == "node1: 2 fold runs; node2: 1 fold run"
    assert (
        lines["code (commit)"]
        == "0123456789ab (clean): 2 fold runs; 0123456789ab (changed since): 1 fold run"
    )
    assert "NVIDIA H200, driver unknown, CUDA 13.0: 1 fold run" in lines["GPU"]


def test_results_of_earlier_versions_are_unknown(tmp_path: Path) -> None:
    store, experiment = demo_experiment(tmp_path)
    lines = provenance_lines(store, experiment)
    unknown = ("computed (UTC)", "code (commit)", "host", "processor", "GPU", "libraries")
    assert {lines[name] for name in unknown} == {"unknown"}
    assert "for the rows" in lines["hours of compute"]


@pytest.mark.parametrize("missing", [None, "f" * 24])
def test_fold_runs_that_are_missing_or_failed_are_left_out(missing: str | None, tmp_path: Path) -> None:
    store, experiment = stored(tmp_path, {"provenance": MADE})
    store.write_failure("fold_runs", "e" * 24, {}, "Traceback", provenance={**MADE, "host": "node9"})
    runs = experiment["rows"][0]["runs"]
    runs += [{"fold": 1, "identity": missing}, {"fold": 2, "identity": "e" * 24}]
    assert provenance_lines(store, experiment)["host"] == "node1"
    assert provenance_lines(store, {"rows": [{"runs": runs[1:]}]}) == {}
