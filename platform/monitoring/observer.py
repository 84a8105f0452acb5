"""What a search tells to whoever watches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from platform.runs.tasks import FoldTask
from platform.search.inner_scores import InnerScores

End = Literal["COMPLETE", "PRUNED", "FAIL", "INVALID"]
"""How a trial ends; INVALID: its proposal was no valid configuration, so nothing of it was run."""


class SearchObserver:
    """Is told of every trial; this one keeps nothing. `study` is the study's suffix, often empty."""

    def trial_proposed(self, study: str, number: int, tasks: Sequence[FoldTask]) -> None:
        """A trial starts, or goes on: these are its fold runs."""

    def round_finished(self, study: str, number: int, folds_done: int, score: float) -> None:
        """So many of its fold runs are done; `score` is their mean accuracy, in [0, 1]."""

    def trial_ended(
        self, study: str, number: int, end: End, scores: InnerScores, *, earlier: bool = False
    ) -> None:
        """It is over; `earlier`: in an earlier start of the same search."""
