"""Starting Ray: again while the machine is busy, at once an error otherwise, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray
from ray._private import node, utils

from platform.distributed import ray_start
from platform.distributed.ray_start import _reason, start_ray
from platform.errors import UserError
from tests.distributed.processes import LINUX_ONLY, carrying

SLOW_AGENT = (
    "[2026-11-28 02:11:29,642 C 7887 7887] (raylet) node_manager.cc:3576:  An unexpected system state has "
    "occurred. Please report this issue at https://github.com/ray-project/ray/issues and we'll work with you "
    "to fix it. Check failed: statussetor3576.has_value() Timed out waiting for file "
    "/tmp/ray/session_2026/metrics_agent_port_be26776c12bc4378\n*** StackTrace Information ***\n"
)
OTHER_ERROR = (
    "[2026-11-28 02:15:01,911 I 10890 10890] (raylet) main.cc:283: Setting cluster ID to: 66ea\n"
    "[2026-11-28 02:15:02,616 C 10890 10890] (raylet) main.cc:655: Too many open files\n"
)
TIMED_OUT = Exception("The current node timed out during startup.\nmore")


class Starts:
    """Stands in for `ray.init`: raises what it is told, in turn, and counts."""

    def __init__(self, *raised: BaseException) -> None:
        self.raised, self.count = list(raised), 0

    def __call__(self, **options: Any) -> None:
        self.count += 1
        if self.raised:
            raise self.raised.pop(0)


@pytest.fixture
def starting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Starts]:
    """Replaces `ray.init` by a Starts, and Ray's logs by a text."""

    def replace(*raised: BaseException, logs: str = "") -> Starts:
        starts = Starts(*raised)
        monkeypatch.setattr(ray, "init", starts)
        monkeypatch.setattr(ray, "shutdown", lambda: None)
        monkeypatch.setattr(ray_start, "_logs", lambda nodes: logs)
        return starts

    return replace


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        (SLOW_AGENT, (True, "its metrics agent did not start within Ray's limit of 15 s")),
        (OTHER_ERROR, (False, "Too many open files")),
        ("", (True, "The current node timed out during startup.")),
    ],
)
def test_the_reason_comes_from_rays_own_logs(logs: str, expected: tuple[bool, str]) -> None:
    assert _reason(TIMED_OUT, logs) == expected


def test_a_start_that_fails_on_a_busy_machine_is_tried_again_without_a_word(
    starting: Callable[..., Starts], capfd: pytest.CaptureFixture[str]
) -> None:
    starts = starting(TIMED_OUT, TIMED_OUT, logs=SLOW_AGENT)
    start_ray({}, pauses=(0, 0))
    assert starts.count == 3
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("raised", "logs", "attempts", "said"),
    [
        (
            TIMED_OUT,
            SLOW_AGENT,
            4,
            r"in 4 attempts \(its metrics agent did not start.*too busy \(load \d+\): run",
        ),
        (TIMED_OUT, OTHER_ERROR, 2, r"in 2 attempts \(Too many open files\); its log is ray.log"),
        (OSError("AF_UNIX path length"), "", 1, r"in one attempt \(AF_UNIX path length\)"),
    ],
)
def test_what_does_not_start_ends_in_one_sentence_with_the_cause(
    starting: Callable[..., Starts], raised: Exception, logs: str, attempts: int, said: str
) -> None:
    starts = starting(*[raised] * 9, logs=logs)
    with pytest.raises(UserError, match=said):
        start_ray({}, pauses=(0, 0, 0))
    assert starts.count == attempts


class HalfStarted:
    """A node whose start is stopped by Ctrl-C after its first process."""

    def __init__(self) -> None:
        self.removal_lock = object()
        self.ended = False
        raise KeyboardInterrupt

    def kill_all_processes(self, **how: bool) -> None:
        self.ended = True


def test_ctrl_c_during_the_start_ends_what_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[HalfStarted] = []
    monkeypatch.setattr(node, "Node", HalfStarted)
    monkeypatch.setattr(HalfStarted, "__new__", lambda cls: made.append(object.__new__(cls)) or made[-1])
    monkeypatch.setattr(ray, "init", lambda: node.Node())
    monkeypatch.setattr(ray, "shutdown", lambda: None)  # the cluster of other tests lives on
    with pytest.raises(KeyboardInterrupt):
        start_ray({})
    assert [one.ended for one in made] == [True]
    assert node.Node is HalfStarted, "Ray's class is back"


def test_the_handler_of_sigterm_stays_ours_while_ray_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Ray's Python part nor its C++ part (which makes a CoreWorker) has it in the end."""

    def init() -> None:
        utils.set_sigterm_handler(signal.SIG_IGN)
        ray._raylet.CoreWorker()

    taken: list[bool] = []
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray._raylet, "CoreWorker", lambda: None)
    before = signal.getsignal(signal.SIGTERM)
    start_ray({}, lambda: taken.append(True))
    assert taken == [True]
    assert signal.getsignal(signal.SIGTERM) == before
    assert utils.set_sigterm_handler.__name__ == "set_sigterm_handler"


SLOW = """
import os, sys, time
if "dashboard/agent.py" in " ".join(sys.orig_argv) and not os.path.exists(os.environ["SEEN"]):
    open(os.environ["SEEN"], "w").close()
    time.sleep(25)
"""
START = """
from pathlib import Path
from platform.config.configuration import Plan
from platform.distributed.cluster import connected
with connected(Plan(), Path("ray.log")) as slots:
    import ray
    print("up", int(ray.cluster_resources()["CPU"]) == slots.cpus)
"""


@LINUX_ONLY
@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(400)
def test_an_agent_that_needs_longer_than_the_raylet_waits_delays_the_start_only(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    environment = {
        **os.environ, "PYTHONPATH": f"{tmp_path}:{root}", "SEEN": str(tmp_path / "seen"), "RUN": str(tmp_path)
    }  # fmt: skip
    started = subprocess.run(
        [sys.executable, "-c", START], env=environment, cwd=tmp_path, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert (started.returncode, started.stdout, started.stderr) == (0, "up True\n", "")
    assert "attempt 1 to start Ray failed: its metrics agent" in (tmp_path / "ray.log").read_text()
    left = [command for command in carrying("RUN", str(tmp_path)).values() if "Agent" not in command]
    assert left == [], "an aborted raylet's agents follow within 60 s"
