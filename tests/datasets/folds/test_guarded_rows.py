"""One guard for all tables of a fold run: images, sequences, landmarks (further tests: test_view.py)."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.folds.guarded_rows import FoldSubjects, GuardedRows
from platform.errors import LeakageError, UserError

SUBJECTS = np.array(["A", "C", "B", "D", "A"])


def test_tables_of_one_run_open_together() -> None:
    fold = FoldSubjects(["A", "B"], ["C"], "final")
    tables = GuardedRows(fold, SUBJECTS), GuardedRows(fold, SUBJECTS[::-1])
    for table in tables:
        with pytest.raises(LeakageError, match="before finish_training"):
            table.evaluates()
    fold.finish_training()
    assert tables[0].evaluates().tolist() == [False, True, False, False, False]
    assert tables[1].evaluates().tolist() == [False, False, False, True, False]
    assert tables[0].trains.tolist() == [True, False, True, False, True]


def test_rows_are_checked_by_their_subject() -> None:
    fold = FoldSubjects(["A", "B"], ["C"], "final")
    rows = GuardedRows(fold, SUBJECTS)
    assert rows.checked([4, 0]).tolist() == [4, 0]
    with pytest.raises(LeakageError, match="subjects D neither"):
        rows.checked([0, 3])
    with pytest.raises(LeakageError, match="subjects C are tested"):
        rows.checked([1])
    fold.finish_training()
    assert rows.checked([1]).tolist() == [1]


def test_a_subject_does_not_both_train_and_test_and_roles_are_known() -> None:
    with pytest.raises(LeakageError, match="subjects A both train and evaluate"):
        FoldSubjects(["A"], ["A"], "inner")
    with pytest.raises(UserError, match="unknown fold role 'finl'"):
        FoldSubjects(["A"], [], "finl")  # type: ignore[arg-type]
