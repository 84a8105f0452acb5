"""Workers killed until a search gives up: the same command then ends with the table of a quiet one."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

import pytest

from platform.search.storage import open_storage
from tests.distributed.processes import LINUX_ONLY, descendants
from tests.distributed.search_command import PATIENCE_SECONDS, Command

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(2400)]


def kill_workers_until_it_ends(search: Command) -> int:
    """SIGKILL, as the out-of-memory killer sends it, for each fold worker of that driver; how many."""
    assert search.process is not None
    killed: set[int] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while search.process.poll() is None:
        assert time.monotonic() < deadline, search.out()
        for process, name in descendants(search.process.pid).items():
            if name.startswith("ray::carry_out") and process not in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                killed.add(process)
        time.sleep(0.05)
    return len(killed)


def test_a_search_whose_workers_are_lost_for_good_ends_with_a_sentence_and_goes_on_to_the_quiet_table(
    command: Callable[[str], Command],
) -> None:
    quiet, shaken = command("quiet"), command("shaken")
    quiet.start()
    assert quiet.wait() == 0, quiet.err()
    shaken.start()
    assert kill_workers_until_it_ends(shaken) >= 7
    assert shaken.wait() == 2
    (sentence,) = (line for line in shaken.err().splitlines() if line.startswith("error: "))
    assert "its worker was lost 7 times in a row" in sentence
    assert f"(on {os.uname().nodename})" in sentence
    assert "run the same command again to continue" in sentence
    assert not [m for m in shaken.runs.glob("*/*/manifest.json") if '"failed"' in m.read_text()]
    lost = [event["detail"] for event in shaken.events() if event["event"] == "worker_lost"]
    assert len(lost) >= 7
    assert lost[0] in (shaken.runs / "experiments" / "tiny" / "ray.log").read_text()
    shaken.start()
    assert shaken.wait() == 0, shaken.err()
    assert shaken.tables() == quiet.tables()
    study = open_storage(shaken.runs / "experiments" / "tiny" / "study.journal")
    states = {trial.state.name for trial in study.get_all_trials(study.get_all_studies()[0]._study_id)}
    assert states <= {"COMPLETE", "PRUNED"}
