"""Trials of a running search for the progress display: counts by state, folds done, the best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from platform.evaluation.accuracy_interval import Interval
from platform.monitoring.observer import End
from platform.runs.tasks import FoldTask
from platform.search.inner_interval import inner_interval
from platform.search.inner_scores import InnerScores

SHOWN_TRIALS = 3
"""Number of running trials shown individually."""


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best complete trial so far."""

    study: str
    trial: int
    score: float
    interval: Interval | None

    def describe(self) -> str:
        """`best 54.3 % (48.1–60.2), trial 3`."""
        ends = f" ({self.interval.low:.1%}–{self.interval.high:.1%})" if self.interval else ""
        return f"best {self.score:.1%}{ends.replace('%–', '–')}, trial {self.trial}{self.study}"


class TrialBoard:
    """State of all trials, updated from the events of a SearchObserver."""

    def __init__(self) -> None:
        self._trial_of: dict[str, tuple[str, int]] = {}
        self._running: dict[tuple[str, int], tuple[int, int]] = {}
        self._ended: Counter[str] = Counter()
        self.best: Best | None = None
        self.baselines: frozenset[str] = frozenset()
        """Suffixes of the baselines' studies: their trials count, but none is shown as the best."""

    def proposed(self, study: str, number: int, tasks: Sequence[FoldTask]) -> None:
        """Register a trial with its fold runs."""
        self._running[study, number] = (0, len(tasks))
        for task in tasks:
            self._trial_of.setdefault(task.identity, (study, number))

    def round_finished(self, study: str, number: int, folds_done: int) -> None:
        """Record how many of its fold runs are done."""
        self._running[study, number] = (folds_done, self._running[study, number][1])

    def ended(self, study: str, number: int, end: End, scores: InnerScores) -> None:
        """Record the end of a trial. A complete one may become the best; on a tie the earlier one stays."""
        self._running.pop((study, number), None)
        self._ended[end] += 1
        if study in self.baselines or end != "COMPLETE":
            return
        if self.best is None or scores.mean_of_steps > self.best.score:
            self.best = Best(
                study=study, trial=number, score=scores.mean_of_steps, interval=inner_interval(scores)
            )

    def trial_of(self, identity: str) -> tuple[str | None, int | None]:
        """Study and number of the trial that first wanted that fold run; None for a final run."""
        return self._trial_of.get(identity, (None, None))

    def counts(self) -> dict[str, int]:
        """Number of trials by state."""
        return {
            "trials_complete": self._ended["COMPLETE"],
            "trials_pruned": self._ended["PRUNED"],
            "trials_failed": self._ended["FAIL"],
            "trials_invalid": self._ended["INVALID"],
            "trials_running": len(self._running),
        }

    def describe(self) -> list[str]:
        """Parts of the display's line; empty without a search."""
        if not self._ended and not self._running:
            return []
        counts = self.counts()
        ended = f"{counts['trials_complete']} complete, {counts['trials_pruned']} pruned"
        for end in ("failed", "invalid"):
            ended += f", {count} {end}" if (count := counts[f"trials_{end}"]) else ""
        running = [
            f"{number}{study}: {done}/{wanted}" for (study, number), (done, wanted) in self._running.items()
        ]
        if running:
            more = f" and {len(running) - SHOWN_TRIALS} more" if len(running) > SHOWN_TRIALS else ""
            ended += f", folds of running {', '.join(running[:SHOWN_TRIALS])}{more}"
        return [f"trials: {ended}", *([self.best.describe()] if self.best else [])]

    def to_dict(self) -> dict[str, Any]:
        """The best trial for an event; null values while no trial is complete."""
        if self.best is None:
            return {"best_trial": None, "best_score": None, "best_interval": None}
        ends = self.best.interval
        return {
            "best_trial": self.best.trial,
            "best_score": round(self.best.score, 6),
            "best_interval": None if ends is None else [round(ends.low, 6), round(ends.high, 6)],
        }
