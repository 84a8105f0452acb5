"""Progress of a run command: fold runs done, running and failed, time remaining, best trial."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from platform.host.durations import duration
from platform.monitoring.event_log import EventLog, EventName
from platform.monitoring.observer import End, SearchObserver
from platform.monitoring.trial_board import TrialBoard
from platform.runs.cost import Pace
from platform.runs.tasks import FoldTask
from platform.search.inner_scores import InnerScores

SEARCHED = "inner"
"""Group of the fold runs of trials."""
TRIALS_TO_JUDGE_BY = 3
"""Ended trials before the remaining time assumes that pruning continues at the observed rate."""
FAILURES_KEPT = 20
NEWS_KEPT = 20
NODE_EVENTS: dict[str, EventName] = {
    "joined": "node_joined",
    "left": "node_left",
    "refused": "node_refused",
    "admitted": "node_admitted",
    "set_aside": "node_set_aside",
}
"""A dispatcher's kind of event to the event log's."""
ENDS: dict[End, EventName] = {
    "COMPLETE": "trial_complete",
    "PRUNED": "trial_pruned",
    "FAIL": "trial_failed",
    "INVALID": "trial_invalid",
}


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Upper bound on the tasks of a group, and the arithmetic of one task."""

    count: int
    gflop: float


class Progress(SearchObserver):
    """Counts finished tasks by group and estimates the time remaining. Independent of Ray and of screens.

    The search and the display's thread both write to it, so its methods hold a lock.
    """

    def __init__(self, slots: int, log: EventLog | None = None) -> None:
        self._slots = slots
        """Runs at once, now: nodes of a cluster come and go."""
        self._log = log
        self._lock = threading.RLock()
        self._expected: dict[str, Expectation] = {}
        self._steps_a_trial = 0
        self._steps_of_ended: list[int] = []
        self._steps_before = 0
        """Fold runs of trials that ended in earlier starts and are not dispatched again."""
        self._done: Counter[str] = Counter()
        self._counted: set[str] = set()
        self._life = ""
        self._pace = Pace()
        self.trials = TrialBoard()
        self.known = 0
        """Number of finished tasks of the current dispatcher that are counted."""
        self.told = 0
        """Number of those that it has."""
        self.failed = 0
        self._failures: deque[dict[str, str]] = deque(maxlen=FAILURES_KEPT)
        self.reused = 0
        self.workers_lost = 0
        self._events_known = 0
        self._lost_last = ""
        self._kept_out: dict[str, str] = {}
        """Hosts that get no runs, and why."""
        self.news: deque[str] = deque(maxlen=NEWS_KEPT)
        """Sentences that a person must see, not shown yet."""
        self.running: list[tuple[str, float]] = []
        self.waiting = 0
        """Tasks that were asked for and neither run nor are over."""
        self.waiting_for = ""
        """What no node of the cluster has now; empty: runs can be computed."""
        self._phase = ""
        self.best = ""

    @property
    def phase(self) -> str:
        """Current phase: `search` or `final folds`."""
        return self._phase

    @phase.setter
    def phase(self, name: str) -> None:
        with self._lock:
            self._phase = name
            self._tell("phase", detail=name)

    def expect(self, group: str, count: int, gflop: float) -> None:
        """Expect at most `count` tasks of the group, of `gflop` each."""
        self._expected[group] = Expectation(count=count, gflop=gflop)

    def expect_trials(self, count: int, steps: int, gflop: float) -> None:
        """Expect at most `count` trials of `steps` fold runs; those that pruning skips no longer count."""
        self._steps_a_trial = steps
        self.expect(SEARCHED, count * steps, gflop)

    def expect_no_more_trials(self) -> None:
        """End the search's group: no further fold run of a trial will come."""
        self._steps_a_trial = 0
        self.expect(SEARCHED, self._done[SEARCHED], 0.0)

    def expect_no_more(self) -> None:
        """End all groups: whatever else was expected was cached or not needed."""
        with self._lock:
            self._steps_a_trial = 0
            for group in self._expected:
                self.expect(group, self._done[group], 0.0)

    def take(self, snapshot: dict[str, Any]) -> None:
        """Count the news of a Dispatcher's snapshot; a restarted dispatcher reports everything again."""
        with self._lock:
            self.running, self.waiting = snapshot["running"], snapshot["waiting"]
            self.told = snapshot["finished_count"]
            self._slots = snapshot.get("slots", self._slots)
            self.waiting_for = snapshot.get("waiting_for", "")
            if snapshot["life"] != self._life:
                first, self._life, self._events_known = not self._life, snapshot["life"], 0
                if not first:
                    self.known = 0
                    return
            for event in snapshot.get("events", ()):
                if event["number"] > self._events_known:
                    self._events_known = event["number"]
                    self._happened(event)
            self.known += len(snapshot["finished"])
            for entry in snapshot["finished"]:
                if entry["identity"] not in self._counted:
                    self._counted.add(entry["identity"])
                    self._count(entry)

    def _happened(self, event: dict[str, Any]) -> None:
        """Show and log what happened to a worker or a node; none of it counts as a failed run."""
        kind, host, words = event["kind"], event["host"], event["words"]
        if kind in ("lost", "stopped"):
            self.workers_lost += kind == "lost"
            self._lost_last = host or "an unknown host"
        elif kind in ("refused", "set_aside"):
            self._kept_out[host] = words
            self.news.append(f"{words}.")
        elif kind in ("admitted", "left"):
            self._kept_out.pop(host, None)
        level = logging.ERROR if kind in ("lost", "stopped", "refused", "set_aside") else logging.INFO
        logging.getLogger("platform").log(level, words)
        self._tell(NODE_EVENTS.get(kind, "worker_lost"), detail=words)

    def _count(self, entry: dict[str, Any]) -> None:
        failed = entry["status"] != "complete"
        self._done[entry["group"]] += 1
        self.failed += failed
        if failed:
            self._failures.append({"label": entry["label"], "identity": entry["identity"]})
        self.reused += entry["reused"]
        if entry["seconds"]:
            self._pace.learn(entry["group"], entry["gflop"], entry["seconds"])
        study, trial = self.trials.trial_of(entry["identity"])
        self._tell(
            "run_failed" if failed else "run_finished",
            study=study,
            trial=trial,
            fold=entry["fold"],
            part=entry["part"],
            score=entry["accuracy"],
            seconds=entry["seconds"],
            slot_seconds=round(entry["slot_seconds"], 3),
            detail=f"{entry['label']}, cached" if entry["reused"] else entry["label"],
        )

    def trial_proposed(self, study: str, number: int, tasks: Sequence[FoldTask]) -> None:
        """See SearchObserver."""
        with self._lock:
            self.trials.proposed(study, number, tasks)
            self._tell("trial_proposed", study=study, trial=number)

    def round_finished(self, study: str, number: int, folds_done: int, score: float) -> None:
        """See SearchObserver."""
        with self._lock:
            self.trials.round_finished(study, number, folds_done)
            self._tell(
                "round_finished", study=study, trial=number, score=score, detail=f"{folds_done} fold runs"
            )

    def trial_ended(
        self, study: str, number: int, end: End, scores: InnerScores, *, earlier: bool = False
    ) -> None:
        """See SearchObserver."""
        with self._lock:
            self.trials.ended(study, number, end, scores)
            self._steps_of_ended.append(len(scores.steps))
            self._steps_before += len(scores.steps) if earlier else 0
            if not earlier:
                self._tell(ENDS[end], study=study, trial=number, score=scores.mean_or_none)

    def tell_now(self, event: EventName, seconds: float, detail: str | None = None) -> None:
        """Log the state `seconds` after the start."""
        with self._lock:
            self._tell(event, seconds=seconds, detail=detail)

    def _tell(self, event: EventName, **values: Any) -> None:
        if self._log is not None:
            seconds, left = values.pop("seconds", None), round(self.seconds_left(), 1)
            self._log.write(
                event,
                seconds=None if seconds is None else round(seconds, 3),
                counts=self.counts(),
                seconds_left=left,
                **values,
            )

    def counts(self) -> dict[str, Any]:
        """Counters for the event log."""
        return {
            "runs_done": self.done,
            "runs_expected": self.total,
            "runs_running": len(self.running),
            "runs_waiting": self.waiting,
            "slots": self._slots,
            "runs_failed": self.failed,
            "runs_reused": self.reused,
            **self.trials.counts(),
            **self.trials.to_dict(),
        }

    def facts(self) -> dict[str, Any]:
        """The state as JSON values, for progress_file.py."""
        with self._lock:
            return {
                "phase": self.phase,
                "seconds_left": round(self.seconds_left(), 1),
                "counts": self.counts(),
                "best": self.best or " | ".join(self.trials.describe()),
                "failures": list(self._failures),
            }

    @property
    def done(self) -> int:
        """Finished tasks."""
        return sum(self._done.values())

    @property
    def total(self) -> int:
        """Expected tasks; never fewer than the finished ones."""
        return sum(self._done[group] + self._remaining(group) for group in self._expected)

    def _remaining(self, group: str) -> int:
        """Upper bound on the tasks that may still come."""
        count = self._expected[group].count
        if group == SEARCHED and self._steps_a_trial:
            ran = self._steps_of_ended
            count -= len(ran) * self._steps_a_trial - sum(ran) + self._steps_before
        return max(0, count - self._done[group])

    def _likely(self, group: str) -> float:
        """Fraction of the remaining tasks that will run if trials are pruned as often as so far."""
        ended = len(self._steps_of_ended)
        if group != SEARCHED or not self._steps_a_trial or ended < TRIALS_TO_JUDGE_BY:
            return 1.0
        return sum(self._steps_of_ended) / (ended * self._steps_a_trial)

    def seconds_left(self) -> float:
        """Estimated seconds until the end, if trials are pruned as often as so far."""
        remaining = sum(
            self._remaining(group) * self._likely(group) * self._pace.seconds(group, e.gflop)
            for group, e in self._expected.items()
        )
        return remaining / max(1, self._slots)

    def state(self) -> str:
        """The display without times: it changes only when something has happened."""
        parts = [
            f"{self.phase}: {self.done} of up to {self.total} runs done",
            f"{len(self.running)} running on {self._slots} {'slot' if self._slots == 1 else 'slots'}",
            *([f"{self.waiting} waiting"] if self.waiting else []),
            f"{self.failed} failed",
        ]
        if self.workers_lost:
            parts.append(f"{self.workers_lost} workers lost (last on {self._lost_last})")
        if self._kept_out:
            parts.append(f"no runs for {', '.join(sorted(self._kept_out))}")
        if self.waiting_for:
            parts.append(f"waiting for nodes: a run needs {self.waiting_for}")
        if self.reused:
            parts.append(f"{self.reused} cached")
        parts += [self.best] if self.best else self.trials.describe()
        return " | ".join(parts)

    def line(self, elapsed_seconds: float) -> str:
        """The display as one line."""
        with self._lock:
            computed = self.done - self.reused
            rate = 60 * computed / elapsed_seconds if elapsed_seconds and computed else 0
            pace = f", {rate:.3g} runs/min" if rate else ""
            left = duration(self.seconds_left())
            return f"{self.state()} | {duration(elapsed_seconds)} elapsed, about {left} remaining{pace}"
