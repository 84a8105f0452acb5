from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from platform.aggregation import parallel as many_rows
from platform.aggregation.parallel import aggregate_experiments
from platform.errors import UserError
from platform.runs.store import ResultsStore
from tests.fake_runs import write_experiment, write_row


def test_several_processes_give_the_same_rows_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ResultsStore(tmp_path)
    experiments = [
        write_experiment(
            store, [write_row(store, accuracy=0.7, folds=2), write_row(store, "cnn", "CNN")], "a"
        ),
        write_experiment(store, [write_row(store, accuracy=0.9, folds=2)], "b"),
    ]
    alone = aggregate_experiments(store, experiments)
    monkeypatch.setattr(many_rows, "MANY_FOLD_RUNS", 1)
    shown: list[tuple[int, int]] = []
    together = aggregate_experiments(store, experiments, progress=lambda *done: shown.append(done))
    assert [made.row for made in together] == [made.row for made in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.images is not None
        assert other.images is not None
        assert one.images.tested == other.images.tested
        np.testing.assert_array_equal(one.images.correct, other.images.correct)
    assert shown == [(2, 7), (5, 7), (7, 7)]
    experiments[1]["rows"][0]["runs"].pop()
    with pytest.raises(UserError, match=r"of experiment 'b'.*fold 1 is missing"):
        aggregate_experiments(store, experiments)
