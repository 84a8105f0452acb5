from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from platform.monitoring.trial_board import SHOWN_TRIALS, TrialBoard
from platform.runs.tasks import FoldTask
from platform.search.inner_scores import InnerScores


def tasks(*identities: str) -> list[FoldTask]:
    return [cast(FoldTask, SimpleNamespace(identity=identity)) for identity in identities]


def right(count: int) -> InnerScores:
    """Two subjects, so many of their four images right."""
    return InnerScores(steps={0: {"A": (min(count, 2), 2), "B": (max(0, count - 2), 2)}})


def test_nothing_is_shown_where_nothing_is_searched() -> None:
    board = TrialBoard()
    assert board.describe() == []
    assert set(board.counts().values()) == {0}
    assert board.to_dict() == {"best_trial": None, "best_score": None, "best_interval": None}


def test_a_run_that_two_trials_share_belongs_to_the_first_and_a_final_run_to_none() -> None:
    board = TrialBoard()
    board.proposed("", 3, tasks("a", "b"))
    board.proposed("", 4, tasks("b", "c"))
    assert [board.trial_of(name) for name in "abcd"] == [("", 3), ("", 3), ("", 4), (None, None)]


def test_trials_move_from_running_to_how_they_ended() -> None:
    board = TrialBoard()
    for number in range(3):
        board.proposed("", number, tasks(str(number)))
    board.ended("", 0, "COMPLETE", right(2))
    board.ended("", 1, "FAIL", InnerScores(steps={}))
    assert board.counts() == {
        "trials_complete": 1, "trials_pruned": 0, "trials_failed": 1, "trials_invalid": 0,
        "trials_running": 1,
    }  # fmt: skip
    assert "1 failed" in board.describe()[0]


def test_a_proposal_that_was_no_configuration_is_not_called_failed() -> None:
    board = TrialBoard()
    board.ended("", 0, "INVALID", InnerScores(steps={}))
    assert board.counts()["trials_failed"] == 0
    assert board.describe() == ["trials: 0 complete, 0 pruned, 1 invalid"]


def test_many_running_trials_are_not_all_named() -> None:
    board = TrialBoard()
    for number in range(SHOWN_TRIALS + 2):
        board.proposed("-fold-1", number, tasks(str(number)))
    (text,) = board.describe()
    assert text.endswith("2-fold-1: 0/1 and 2 more")


def test_a_baselines_trial_counts_and_is_not_the_best() -> None:
    board = TrialBoard()
    board.baselines = frozenset({"-cnn"})
    board.ended("", 0, "COMPLETE", right(2))
    board.ended("-cnn", 3, "COMPLETE", right(4))
    assert board.counts()["trials_complete"] == 2
    assert board.to_dict()["best_trial"] == 0


def test_one_subject_s_best_has_no_interval() -> None:
    board = TrialBoard()
    board.ended("", 0, "COMPLETE", InnerScores(steps={0: {"A": (1, 2)}}))
    assert board.best is not None
    assert board.best.describe() == "best 50.0%, trial 0"
    assert board.to_dict() == {"best_trial": 0, "best_score": 0.5, "best_interval": None}
