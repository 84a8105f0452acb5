"""What a study says of a trial is believed only as far as the stored fold runs say the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from platform.errors import UserError
from platform.runs.store import ResultsStore
from platform.search.inner_scores import inner_scores
from platform.search.invalid_trials import ATTRIBUTE
from platform.search.recorded_values import check_recorded
from platform.search.trial_values import pooled_macro_f1
from tests.fake_runs import fake_predictions, write_fold_run
from tests.tiny_faces import tiny_configuration

BASE = tiny_configuration(method="cnn")
RATE = "classifier_learning_rate"
OBJECTIVES = ("accuracy", "macro_f1")


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {RATE: trial.suggest_float(RATE, 1e-5, 1e-1, log=True)}


class Recorded:
    """A trial of three fold runs, and as a study records it."""

    def __init__(self, root: Path, **changes: Any) -> None:
        self.store = ResultsStore(root)
        self.tasks: list[Any] = [
            SimpleNamespace(
                identity=write_fold_run(self.store, fake_predictions(0.7, fold)),
                fold_index=fold,
                data=SimpleNamespace(class_names=("anger", "fear")),
            )
            for fold in range(3)
        ]
        state = changes.get("state", TrialState.COMPLETE)
        folds = changes.get("folds", 3)
        mean = inner_scores(self.store, self.tasks[: folds or 3]).mean_of_steps
        values = [mean, pooled_macro_f1(self.store, self.tasks)]
        self.trial: FrozenTrial = optuna.trial.create_trial(
            state=state,
            values=values if state == TrialState.COMPLETE else None,
            params={RATE: 0.01},
            distributions={RATE: FloatDistribution(1e-5, 1e-1, log=True)},
            user_attrs={"overrides": {RATE: 0.01}, "folds": folds, **changes.get("attributes", {})},
            intermediate_values={folds: mean} if folds else {},
        )

    def check(self, objectives: tuple[str, ...] = OBJECTIVES) -> None:
        tasks = [] if ATTRIBUTE in self.trial.user_attrs else self.tasks
        check_recorded(
            self.trial,
            tasks,
            study="tiny",
            suggest=suggest,
            base=BASE,
            class_count=2,
            objectives=objectives,
            store=self.store,
        )

    def refusal(self) -> str:
        with pytest.raises(UserError) as error:
            self.check()
        message = str(error.value)
        assert "move the study's storage away, or pass a new --name" in message
        return message


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"state": TrialState.PRUNED, "folds": 2},
        {"state": TrialState.FAIL, "folds": 0},
        {
            "state": TrialState.FAIL,
            "folds": 0,
            "attributes": {ATTRIBUTE: "must be positive", "overrides": {RATE: -1.0}},
        },
    ],
)
def test_an_honest_trial_passes(changes: dict[str, Any], tmp_path: Path) -> None:
    Recorded(tmp_path, **changes).check()


@pytest.mark.parametrize("objective", [0, 1])
def test_another_value_is_refused_with_both(objective: int, tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.trial.values = [
        value + (0.1 if place == objective else 0) for place, value in enumerate(recorded.trial.values)
    ]
    message = recorded.refusal()
    assert message.startswith("recorded trials must agree with the stored fold runs, but trial -1 of tiny")
    assert "has the values {'accuracy': 0." in message


def test_another_mean_another_parameter_and_another_number_of_folds_are_refused(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.trial.intermediate_values = {3: 0.99}
    assert "has the mean {3: 0.99}" in recorded.refusal()
    recorded = Recorded(tmp_path)
    recorded.trial.params = {RATE: 0.02}
    assert "has the configuration" in recorded.refusal()
    recorded = Recorded(tmp_path)
    recorded.trial.set_user_attr("folds", 2)
    assert "has the number of fold runs 2 and COMPLETE" in recorded.refusal()


def test_a_trial_that_is_called_invalid_and_is_not_is_refused(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path, state=TrialState.FAIL, folds=0, attributes={ATTRIBUTE: "must be positive"})
    assert "has the state invalid, and they give valid" in recorded.refusal()


def test_a_fold_run_that_is_gone_is_named(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    shutil.rmtree(recorded.store.folder("fold_runs", recorded.tasks[1].identity))
    assert f"its fold run {recorded.tasks[1].identity} (fold 1) is not in {tmp_path}" in recorded.refusal()


def test_a_parameter_count_is_counted_again_and_a_latency_is_believed(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    accuracy = recorded.trial.values[0]
    recorded.trial.values = [accuracy, 12.5]
    recorded.check(("accuracy", "latency"))
    recorded.trial.values = [accuracy, 12345.0]
    with pytest.raises(UserError, match=r"12345\.0"):
        recorded.check(("accuracy", "parameters"))
