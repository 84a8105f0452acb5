"""What a trial reports, with made-up answers of the dispatcher; no Ray is there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray

from platform.config.configuration import Plan
from platform.config.selection import Scope
from platform.distributed.dispatcher import LOST
from platform.distributed.study_search import UNABLE
from platform.distributed.trial import TrialContext, trial_reports
from platform.experiments.method_search import MethodSearch
from platform.runs.fold_tasks import PlannedData
from tests.tiny_faces import tiny_configuration

SCOPE = Scope(suffix="", steps=((2, 0), (0, 0), (1, 0)), outer_folds=(0, 1, 2))


def run(answer: Any, plan: Plan, planned: PlannedData, runs: Path) -> list[dict[str, Any]]:
    """What a trial reports whose dispatcher gives that answer, or raises it."""

    def answered(remote: Any, tasks: Sequence[Any]) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    context = TrialContext(
        dispatcher=SimpleNamespace(run=SimpleNamespace(remote=None)),
        searches=[MethodSearch(base=tiny_configuration(method="cnn"), plan=plan, scopes=(SCOPE,))],
        planned=planned,
        runs_root=runs,
    )
    return list(trial_reports({"study": "", "number": 7, "overrides": {}}, context, answered))


def answers(statuses: Sequence[str]) -> list[dict[str, Any]]:
    return [{"status": status, "reason": "fold 2: no space left (on node7)"} for status in statuses]


def test_a_fold_run_that_cannot_be_carried_out_is_reported_as_no_failure(
    plan: Plan, planned: PlannedData, tmp_path: Path
) -> None:
    (report,) = run(answers(["failed", LOST]), plan, planned, tmp_path)
    assert (report["folds"], report["failed_folds"]) == (0, 0)
    assert report[UNABLE] == "fold 2: no space left (on node7)"


def test_a_failed_fold_run_is_reported_as_one(plan: Plan, planned: PlannedData, tmp_path: Path) -> None:
    (report,) = run(answers(["failed", "complete"]), plan, planned, tmp_path)
    assert (report["failed_folds"], UNABLE in report) == (1, False)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ray.exceptions.ActorDiedError(), "ActorDiedError"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_a_lost_dispatcher_or_a_full_disk_leaves_the_trial_open(
    plan: Plan, planned: PlannedData, tmp_path: Path, error: Exception, said: str
) -> None:
    assert said in run(error, plan, planned, tmp_path)[0][UNABLE]


def test_an_error_of_our_own_code_leaves_it_open_and_its_traceback_is_logged(
    plan: Plan,
    planned: PlannedData,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("platform"), "propagate", True)  # as before Ray's log took it
    (report,) = run(ZeroDivisionError("of ours"), plan, planned, tmp_path)
    assert report[UNABLE] == "ZeroDivisionError: of ours (traceback in ray.log)"
    assert "trial 7" in caplog.text
    assert "Traceback" in caplog.text


def test_a_trial_that_is_ended_reports_nothing(plan: Plan, planned: PlannedData, tmp_path: Path) -> None:
    with pytest.raises(CancelledError):
        run(CancelledError(), plan, planned, tmp_path)
