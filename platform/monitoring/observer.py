"""Interface for observers of a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from platform.runs.tasks import FoldTask
from platform.search.inner_scores import InnerScores

End = Literal["COMPLETE", "PRUNED", "FAIL", "INVALID"]
"""Final state of a trial. INVALID: the proposal was an invalid configuration, so nothing was run."""


class SearchObserver:
    """Receives the events of every trial and ignores them. `study`: the study's suffix, often empty."""

    def trial_proposed(self, study: str, number: int, tasks: Sequence[FoldTask]) -> None:
        """A trial starts or continues with these fold runs."""

    def round_finished(self, study: str, number: int, folds_done: int, score: float) -> None:
        """`folds_done` of its fold runs are done; `score` is their mean accuracy in [0, 1]."""

    def trial_ended(
        self, study: str, number: int, end: End, scores: InnerScores, *, earlier: bool = False
    ) -> None:
        """The trial has ended; `earlier`: in an earlier start of the same search."""
