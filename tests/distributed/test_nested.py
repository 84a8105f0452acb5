"""The rule `nested`, without Ray: nothing of a fold's test subjects reaches what its study chooses.

That nothing reaches masks, stage 1 and scores of one run either: tests/training/test_stages.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from ray.tune.search import Searcher

from datasets.prepared.store import store_folder
from datasets.records import FrameRecord
from platform.config.configuration import Plan
from platform.config.selection import scopes
from platform.distributed.search import winner
from platform.distributed.study_search import StudySearch
from platform.evaluation.predictions import from_bytes
from platform.runs.execute import execute
from platform.runs.fold_tasks import plan_data
from platform.runs.store import ResultsStore
from platform.search.definition import SearchDefinition
from platform.search.storage import open_storage
from tests.tiny_faces import SIZE, face, records, tiny_configuration
from tests.written_stores import write_store

PLAN = Plan(folds=2, selection_rule="nested", rounds=(3, 2), trials=3, trials_in_flight=1, transfer_to="none")
BASE = tiny_configuration(
    method="cnn", stage2_constant_epochs=3, stage2_decay_epochs=0, stage2_batch_size=16, adam_beta1=0.9
)


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {"classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 1e-5, 1e-1, log=True)}


def prepare(root: Path, poisoned: tuple[str, ...]) -> None:
    """Twelve subjects' faces; those of the poisoned ones inverted."""

    def read(record: FrameRecord) -> np.ndarray:
        image = face(record.subject_id, record.expression, record.frame)
        return 255 - image if record.subject_id in poisoned else image

    write_store(store_folder(root, "synthetic", SIZE), "synthetic", SIZE, records(12), read, aligned=True)


def searched(root: Path, fold: int) -> StudySearch:
    """The study of that fold, run to its end in this process."""
    planned = plan_data(root, "synthetic", BASE, PLAN, search=True)
    scope = scopes("nested", 2, 0)[fold]
    search = StudySearch(
        SearchDefinition(
            name=f"study{scope.suffix}",
            suggest=suggest,
            first=({"classifier_learning_rate": 0.01},),
            settings={},
        ),
        storage=open_storage(root / "study.journal"),
        store=ResultsStore(root / "runs"),
        base=BASE,
        plan=PLAN,
        planned=planned,
        scope=scope,
    )
    number = 0
    while True:
        trial = search.suggest(str(number))
        if trial == Searcher.FINISHED:
            return search
        for task in search.tasks(number):
            manifest = execute(task, str(root / "runs"))
            assert manifest["status"] == "complete", manifest["traceback"]
        search.on_trial_complete(str(number), {})
        number += 1


def seen(search: StudySearch) -> list[tuple[Any, ...]]:
    """What the study knows of its trials, and each image's class scores behind it."""
    return [
        (trial.params, trial.value, [_scores(search, task.identity) for task in search.tasks(trial.number)])
        for trial in search.study.trials
    ]


def _scores(search: StudySearch, identity: str) -> list[tuple[str, bytes]]:
    """Not the whole file: it names the run, whose identity depends on the poisoned data too."""
    content = ResultsStore(search._store.root).read("fold_runs", identity, "predictions.parquet")
    stored = from_bytes(content, identity)
    return [(str(name), row.tobytes()) for name, row in zip(stored.image, stored.scores, strict=True)]


@pytest.mark.usefixtures("process_settings_as_before")
def test_poisoned_test_subjects_leave_their_folds_choice_bit_identical(tmp_path: Path) -> None:
    prepare(tmp_path / "clean", ())
    tested = plan_data(tmp_path / "clean", "synthetic", BASE, PLAN).folds.folds[0].test_subjects
    prepare(tmp_path / "poisoned", tested)
    clean, poisoned = (searched(tmp_path / name, 0) for name in ("clean", "poisoned"))
    assert len({trial.value for trial in clean.study.trials}) > 1, "a constant score would prove nothing"
    assert seen(clean) == seen(poisoned)
    assert winner(clean) == winner(poisoned)
    # The poison is strong enough to be seen where it may be: in the other fold's study.
    assert seen(searched(tmp_path / "clean", 1)) != seen(searched(tmp_path / "poisoned", 1))
