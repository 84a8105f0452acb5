"""The search command, killed and interrupted with real signals, ends with a quiet run's table."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from platform.search.storage import open_storage
from tests.distributed.processes import LINUX_ONLY, descendants
from tests.distributed.search_command import FINAL_RUNS, Command

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(1500)]

AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Ray's helpers of a node: idle, and gone within some 60 s after the cluster, while they wait for it."""


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_killed_searches_of_method_and_baseline_end_with_the_table_of_quiet_ones(
    command: Callable[[str], Command],
) -> None:
    """And are extended together, once; a further start trains nothing."""
    flags = ("--tune-baselines", "2", "--generator-learning-rate", "1e-4", "--space", "quick")
    quiet = command("quiet")
    quiet.start(*flags)
    assert quiet.wait() == 0, quiet.err()
    shaken = command("shaken")
    for runs in (2, 8):
        shaken.start(*flags)
        shaken.until(lambda runs=runs: shaken.fold_runs() >= runs)  # type: ignore[misc]
        shaken.signal(signal.SIGKILL)
    before = shaken.finished()
    shaken.start(*flags)
    assert shaken.wait() == 0, shaken.err()
    assert before.items() <= shaken.finished().items(), "a finished run was run again"
    assert shaken.tables() == quiet.tables()
    assert shaken.fold_runs() == quiet.fold_runs()
    assert " in a search of 2 trials, and every other row in a search of its own of 2;" in " ".join(
        shaken.out().split()
    )
    finished = shaken.finished()
    shaken.start(*flags)
    assert shaken.wait() == 0, shaken.err()
    assert shaken.finished() == finished
    shaken.start(*flags, "--extend", "1")
    assert shaken.wait() == 0, shaken.err()
    storage = open_storage(shaken.runs / "experiments" / "tiny" / "study.journal")
    studies = {study.study_name: study for study in storage.get_all_studies()}
    assert sorted(studies) == ["tiny", "tiny-cnn"]
    states = [storage.get_all_trials(study._study_id) for study in studies.values()]
    assert [sum(trial.state.is_finished() for trial in trials) for trials in states] == [3, 3]


@pytest.mark.slow
def test_several_seeds_killed_or_added_later_end_with_the_table_of_a_quiet_run(
    command: Callable[[str], Command],
) -> None:
    seeds = ("--seeds", "2")
    quiet = command("quiet")
    quiet.start(*seeds, command="crossval")
    assert quiet.wait() == 0, quiet.err()
    assert quiet.fold_runs() == 2 * FINAL_RUNS
    shaken = command("shaken")
    shaken.start(*seeds, command="crossval")
    shaken.until(lambda: shaken.fold_runs() >= 4)
    shaken.signal(signal.SIGKILL)
    grown = command("grown")
    grown.start(command="crossval")
    assert grown.wait() == 0, grown.err()
    assert grown.fold_runs() == FINAL_RUNS
    for one in (shaken, grown):
        before = one.finished()
        one.start(*seeds, command="crossval")
        assert one.wait() == 0, one.err()
        assert before.items() <= one.finished().items(), "a finished run was run again"
        assert one.fold_runs() == quiet.fold_runs()
        assert one.tables() == quiet.tables()
    assert "# tiny has one seed (0) so far and gets one seed (1) more; its finished fold runs are kept" in (
        grown.out()
    )
    grown.start("--seeds", "1", command="crossval")
    assert grown.wait() == 2
    assert "the seeds of an experiment may become more, not fewer" in grown.err()


def test_a_killed_interrupted_and_crippled_run_ends_with_the_table_of_a_quiet_one(
    command: Callable[[str], Command], quiet_search: Command
) -> None:
    quiet = quiet_search
    assert quiet.err() == ""
    assert "Warning" not in quiet.out()
    total = quiet.fold_runs()
    inner = total - FINAL_RUNS
    assert inner in (5, 6), "two trials of three folds, the second pruned or not"
    assert eventually(lambda: not quiet.left(), 60), quiet.left()
    events = quiet.events()
    names = [event["event"] for event in events]
    assert (names[0], events[0]["detail"], names[-1]) == ("phase", "starting Ray", "finished")
    assert [event["detail"] for event in events if event["event"] == "phase"][1:] == ["search", "final folds"]
    assert names.count("trial_proposed") == names.count("trial_complete") + names.count("trial_pruned") == 2
    scored = [event for event in events if event["event"] == "run_finished" and event["fold"] is not None]
    assert len(scored) == total
    assert sum(event["trial"] is not None for event in scored) == inner
    assert events[-1]["counts"]["runs_done"] == names.count("run_finished")

    shaken = command("shaken")
    shaken.start()
    shaken.until(lambda: shaken.fold_runs() >= 3)
    assert shaken.signal(signal.SIGKILL) == -signal.SIGKILL
    working = lambda: [name for name in shaken.left() if not name.startswith(AGENTS)]  # noqa: E731
    assert eventually(lambda: not working(), 60), f"outlived the driver: {working()}"
    after_kill = shaken.finished()
    assert 3 <= shaken.fold_runs() < inner

    shaken.start()
    experiment = shaken.runs / "experiments" / "tiny" / "experiment.json"
    # It is written when the final runs begin: waiting for the first of them could be waiting too long.
    shaken.until(experiment.exists)
    assert shaken.signal(signal.SIGINT) == 130
    assert shaken.err().strip() == (
        "interrupted: finished work is stored; run the same command again to continue."
    )
    after_interrupt = shaken.finished()
    assert after_kill.items() <= after_interrupt.items(), "a finished run was run again"
    assert shaken.fold_runs() < total

    shaken.start()
    assert shaken.process is not None
    driver = shaken.process.pid
    workers: list[int] = []

    def a_worker_works() -> bool:
        found = descendants(driver).items()
        workers[:] = [process for process, name in found if name.startswith("ray::carry_out")]
        return bool(workers)

    shaken.until(a_worker_works)
    os.kill(workers[0], signal.SIGKILL)
    assert shaken.wait() == 0, shaken.err()
    assert shaken.err() == ""
    assert after_interrupt.items() <= shaken.finished().items(), "a finished run was run again"
    assert shaken.fold_runs() == total
    assert shaken.tables() == quiet.tables()
    study = open_storage(shaken.runs / "experiments" / "tiny" / "study.journal")
    states = [trial.state.name for trial in study.get_all_trials(study.get_all_studies()[0]._study_id)]
    assert len(states) == 2
    assert set(states) <= {"COMPLETE", "PRUNED"}
    # The agents of the killed cluster too; Ray's own limit for them is 60 s.
    assert eventually(lambda: not shaken.left(), 120), shaken.left()
