"""What a trial reports, with made-up answers of the dispatcher; no Ray is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray import tune

from platform.config.configuration import Plan
from platform.config.selection import Scope
from platform.distributed.dispatcher import LOST
from platform.distributed.study_search import UNABLE
from platform.distributed.trial import run_trial
from platform.experiments.method_search import MethodSearch
from platform.runs.fold_tasks import PlannedData
from tests.tiny_faces import tiny_configuration

SCOPE = Scope(suffix="", steps=((2, 0), (0, 0), (1, 0)), outer_folds=(0, 1, 2))


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is reported to Tune; `ray.get` gives back what the stand-in dispatcher answers, or raises it."""

    def get(answer: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    reported: list[dict[str, Any]] = []
    monkeypatch.setattr(ray, "get", get)
    monkeypatch.setattr(tune, "report", reported.append)
    return reported


def run(answer: Any, plan: Plan, planned: PlannedData, runs: Path) -> None:
    run_trial(
        {"study": "", "number": 0, "overrides": {}},
        dispatcher=SimpleNamespace(run=SimpleNamespace(remote=lambda *arguments: answer)),
        searches=[MethodSearch(base=tiny_configuration(method="cnn"), plan=plan, scopes=(SCOPE,))],
        planned=planned,
        runs_root=str(runs),
    )


def answers(statuses: Sequence[str]) -> list[dict[str, Any]]:
    return [{"status": status, "reason": "fold 2: no space left (on node7)"} for status in statuses]


def test_a_fold_run_that_cannot_be_carried_out_is_reported_as_no_failure(
    reports: list[dict[str, Any]], plan: Plan, planned: PlannedData, tmp_path: Path
) -> None:
    run(answers(["failed", LOST]), plan, planned, tmp_path)
    assert reports == [
        {**reports[0], "folds": 0, "failed_folds": 0, UNABLE: "fold 2: no space left (on node7)"}
    ]


def test_a_failed_fold_run_is_reported_as_one(
    reports: list[dict[str, Any]], plan: Plan, planned: PlannedData, tmp_path: Path
) -> None:
    run(answers(["failed", "complete"]), plan, planned, tmp_path)
    assert (reports[0]["failed_folds"], UNABLE in reports[0]) == (1, False)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ray.exceptions.ActorDiedError(), "ActorDiedError"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_a_lost_dispatcher_or_a_full_disk_leaves_the_trial_open(
    reports: list[dict[str, Any]],
    plan: Plan,
    planned: PlannedData,
    tmp_path: Path,
    error: Exception,
    said: str,
) -> None:
    run(error, plan, planned, tmp_path)
    assert said in reports[0][UNABLE]


def test_an_error_of_our_own_code_passes_through(
    reports: list[dict[str, Any]], plan: Plan, planned: PlannedData, tmp_path: Path
) -> None:
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError(), plan, planned, tmp_path)
    assert reports == []
