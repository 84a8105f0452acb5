from __future__ import annotations

import io
import itertools
import json
import logging
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from platform.monitoring.event_log import EventLog
from platform.monitoring.progress import Progress
from platform.monitoring.progress_display import displayed
from platform.runs.cost import GFLOP_A_SECOND_AND_CORE
from platform.runs.tasks import FoldTask
from platform.search.inner_scores import InnerScores

NUMBERS = itertools.count()


def finished(group: str, gflop: float, seconds: float, **changes: Any) -> dict[str, Any]:
    """A finished task as a Dispatcher tells it; each has another identity."""
    return {
        "identity": f"{next(NUMBERS):024x}", "label": f"a {group} run", "fold": 3, "part": None,
        "group": group, "gflop": gflop, "seconds": seconds, "slot_seconds": seconds,
        "status": "complete", "accuracy": 0.5, "reused": False, **changes,
    }  # fmt: skip


def told(*entries: dict[str, Any], life: str = "one", running: Sequence[Any] = ()) -> dict[str, Any]:
    """A Dispatcher's snapshot."""
    finished = {"finished": list(entries), "finished_count": 0}
    return {"life": life, "running": list(running), "waiting": 0, **finished}


def test_before_anything_has_run_the_time_is_the_assumed_pace() -> None:
    progress = Progress(slots=2)
    progress.expect("final", 10, 50.0)
    assert progress.seconds_left() == pytest.approx(10 * 50 / GFLOP_A_SECOND_AND_CORE / 2)


def test_the_line_by_hand() -> None:
    progress = Progress(slots=2)
    progress.phase = "final folds"
    progress.expect("final", 10, 50.0)
    runs = [finished("final", 50, 100), finished("final", 50, 100)]
    progress.take(told(*runs, running=[("fmpn fold 2", 3.0)]))
    # 2 s a GFLOP: 8 runs x 50 GFLOP x 2 s / 2 slots = 400 s
    assert progress.line(65) == (
        "final folds: 2 of up to 10 runs done | 1 running on 2 slots | 0 failed | "
        "1 min 5 s elapsed, about 6 min 40 s remaining, 1.85 runs/min"
    )
    progress.best = "best: 51.0 %"
    progress.take(
        told(finished("final", 50, 100, reused=True), finished("final", 50, 0, status="failed")),
    )
    assert progress.line(3600) == (
        "final folds: 4 of up to 10 runs done | 0 running on 2 slots | 1 failed | 1 cached | best: 51.0 % | "
        "1 h 0 min elapsed, about 5 min 0 s remaining, 0.05 runs/min"
    )
    assert (progress.done, progress.known, progress.failed, progress.reused) == (4, 4, 1, 1)


def test_slots_that_come_and_go_change_the_time_left_and_the_line() -> None:
    progress = Progress(slots=2)
    progress.expect("final", 10, 50.0)
    progress.take({**told(finished("final", 50, 100)), "waiting": 9})
    assert progress.seconds_left() == 9 * 100 / 2
    progress.take({**told(), "slots": 9, "waiting": 9})
    assert progress.seconds_left() == 100
    assert "| 0 running on 9 slots | 9 waiting |" in progress.state()
    assert progress.counts()["slots"] == 9
    assert progress.counts()["runs_waiting"] == 9
    progress.take({**told(), "slots": 0})  # no node is up, and one may come
    assert progress.seconds_left() == 900
    assert "| 0 running on 0 slots | 0 failed" in progress.state()


def test_runs_that_no_node_could_compute_now_are_said_to_wait() -> None:
    progress = Progress(slots=1)
    progress.take({**told(), "waiting_for": "1 CPU and 1 GPU on one node"})
    assert "0 failed | waiting for nodes: a run needs 1 CPU and 1 GPU on one node" in progress.state()
    progress.take({**told(), "waiting_for": ""})
    assert "waiting" not in progress.state()


def test_groups_have_paces_of_their_own() -> None:
    progress = Progress(slots=1)
    progress.expect("stage 1", 2, 10.0)
    progress.expect("final", 2, 10.0)
    progress.take(told(finished("stage 1", 10, 5)))
    assert progress.seconds_left() == pytest.approx((1 + 2) * 5)  # the new group at the pace of all
    progress.take(told(finished("final", 10, 20)))
    assert progress.seconds_left() == pytest.approx(5 + 20)


def test_more_runs_than_expected_never_make_the_total_too_small_or_the_time_negative() -> None:
    progress = Progress(slots=1)
    progress.expect("inner", 1, 10.0)
    progress.take(told(*(finished("inner", 10, 1) for _ in range(3))))
    assert (progress.done, progress.total) == (3, 3)
    assert progress.seconds_left() == 0


def test_nothing_expected_is_no_time_left() -> None:
    assert Progress(slots=0).seconds_left() == 0


def test_a_dispatcher_that_was_lost_and_started_anew_has_nothing_counted_twice_or_missed() -> None:
    progress = Progress(slots=1)
    progress.expect("final", 4, 1.0)
    runs = [finished("final", 1, 1, fold=fold) for fold in range(4)]
    progress.take(told(*runs[:3]))
    progress.take(told(life="other"))  # it was asked for number 3 on, which means nothing to the new one
    assert progress.known == 0
    progress.take(told(*runs, life="other"))
    assert (progress.done, progress.known) == (4, 4)


def scores(*right: int) -> InnerScores:
    """A step each: so many of four images right, half of them one subject's."""
    return InnerScores(steps={n: {"A": (min(k, 2), 2), "B": (max(0, k - 2), 2)} for n, k in enumerate(right)})


def test_fold_runs_that_a_stopped_trial_leaves_out_are_expected_no_longer() -> None:
    """Ten trials of four steps, a second each: the time left takes the others to end like those so far."""
    progress = Progress(slots=1)
    progress.expect_trials(10, 4, 1.0)
    progress.take(told(finished("inner", 1, 1, fold=0)))
    assert (progress.total, progress.seconds_left()) == (40, pytest.approx(39))
    progress.trial_ended("", 0, "PRUNED", scores(1))
    assert (progress.total, progress.seconds_left()) == (37, pytest.approx(36))
    progress.trial_ended("", 1, "INVALID", scores())
    progress.trial_ended("", 2, "COMPLETE", scores(1, 1, 1, 1))
    # Three trials ran five of twelve steps; of 40 runs seven are left out, and one is known to be done.
    assert (progress.total, progress.seconds_left()) == (33, pytest.approx(32 * 5 / 12))
    progress.expect_no_more_trials()
    assert (progress.total, progress.seconds_left()) == (1, 0)


def test_trials_that_ended_in_an_earlier_start_are_not_run_again() -> None:
    progress = Progress(slots=1)
    progress.expect_trials(3, 4, 1.0)
    progress.trial_ended("", 0, "COMPLETE", scores(1, 1, 1, 1), earlier=True)
    progress.trial_ended("", 1, "PRUNED", scores(1), earlier=True)
    assert progress.total == 4


def test_at_the_end_nothing_more_is_expected() -> None:
    progress = Progress(slots=1)
    progress.expect("stage 1", 4, 1.0)
    progress.expect("final", 3, 1.0)
    progress.take(told(finished("final", 1, 1)))
    progress.expect_no_more()
    assert (progress.total, progress.seconds_left()) == (1, 0)


def test_trials_the_best_and_its_interval_are_on_the_line_while_it_searches() -> None:
    progress = Progress(slots=1)
    progress.phase = "search"
    for number in range(3):
        progress.trial_proposed("", number, [])
    progress.round_finished("", 2, 0, 0.5)
    progress.trial_ended("", 0, "COMPLETE", scores(3, 3))
    progress.trial_ended("", 1, "PRUNED", scores(0))
    assert progress.trials.best is not None
    ends = progress.trials.best.interval
    assert ends is not None
    assert (ends.low, ends.high) == (0.5, 1.0)  # one subject right, the other half so
    assert progress.state() == (
        "search: 0 of up to 0 runs done | 0 running on 1 slot | 0 failed | "
        "trials: 1 complete, 1 pruned, folds of running 2: 0/0 | best 75.0% (50.0–100.0%), trial 0"
    )


def test_the_best_is_the_first_of_equals_and_may_be_from_an_earlier_start() -> None:
    lines = io.StringIO()
    progress = Progress(slots=1, log=EventLog(lines))
    progress.trial_ended("", 0, "COMPLETE", scores(3), earlier=True)
    assert lines.getvalue() == ""
    progress.trial_ended("", 1, "COMPLETE", scores(3))
    progress.trial_ended("", 2, "FAIL", scores())
    assert progress.trials.best is not None
    assert progress.trials.best.trial == 0
    assert progress.trials.counts()["trials_failed"] == 1
    events = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(event["event"], event["trial"], event["score"]) for event in events] == [
        ("trial_complete", 1, 0.75),
        ("trial_failed", 2, None),
    ]


def test_a_fold_run_is_logged_with_its_trial_and_how_far_all_is() -> None:
    lines = io.StringIO()
    progress = Progress(slots=1, log=EventLog(lines))
    progress.expect("inner", 2, 1.0)
    run = finished("inner", 1, 2.0, part=0)
    progress.trial_proposed("-fold-1", 4, [cast(FoldTask, SimpleNamespace(identity=run["identity"]))])
    progress.take(told(run))
    proposed, ended = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert proposed["event"] == "trial_proposed"
    shown = {key: ended[key] for key in ("event", "study", "trial", "fold", "part", "score", "seconds")}
    assert shown == {
        "event": "run_finished", "study": "-fold-1", "trial": 4, "fold": 3, "part": 0, "score": 0.5,
        "seconds": 2.0,
    }  # fmt: skip
    assert ended["seconds_left"] == 2.0
    assert (ended["counts"]["runs_done"], ended["counts"]["runs_expected"]) == (1, 2)


def event(number: int, kind: str = "lost", host: str = "node7", words: str = "") -> dict[str, Any]:
    """As a Dispatcher tells it."""
    return {"number": number, "kind": kind, "host": host, "words": words or f"{kind} {number} on {host}"}


def test_lost_workers_are_shown_and_logged_once_with_their_host_and_are_no_failures(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As before Ray's log took it; pytest puts its handler on a logger that does not propagate.
    monkeypatch.setattr(logging.getLogger("platform"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("platform"), "handlers", [])
    stream = io.StringIO()
    progress = Progress(slots=2, log=EventLog(stream))
    progress.take({**told(), "events": [event(1)]})
    progress.take({**told(), "events": [event(1), event(2)]})
    assert "0 failed | 2 workers lost (last on node7)" in progress.state()
    details = [json.loads(line)["detail"] for line in stream.getvalue().splitlines()]
    assert details == ["lost 1 on node7", "lost 2 on node7"]
    assert [record.message for record in caplog.records if record.name == "platform"] == details
    progress.take({**told(life="two"), "events": []})
    progress.take({**told(life="two"), "events": [event(1, "stopped", host="")]})
    assert progress.workers_lost == 2
    assert "(last on an unknown host)" in progress.state()


def test_what_becomes_of_nodes_is_logged_and_who_gets_no_runs_is_shown() -> None:
    log, stream = io.StringIO(), io.StringIO()
    progress = Progress(slots=2, log=EventLog(log))
    kinds = ("joined", "refused", "set_aside", "admitted", "left")
    hosts = ("node1", "node2", "node3", "node2", "node1")
    events = [event(number, *both) for number, both in enumerate(zip(kinds, hosts, strict=True), start=1)]
    progress.take({**told(), "events": events[:3]})
    assert "no runs for node2, node3" in progress.state()
    with displayed(progress, lambda known: {**told(), "events": events}, stream):
        pass
    assert stream.getvalue().splitlines()[:2] == ["refused 2 on node2.", "set_aside 3 on node3."]
    assert "no runs for node3" in progress.state()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    told_of_nodes = [(line["event"], line["detail"]) for line in lines if line["event"].startswith("node_")]
    assert told_of_nodes == [(f"node_{one['kind']}", one["words"]) for one in events]
