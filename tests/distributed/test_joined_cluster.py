"""A search on a cluster that it did not start: its head lost in the middle, and `ray job submit`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.distributed.own_head import RAY, own_head
from tests.distributed.processes import LINUX_ONLY, carrying
from tests.distributed.search_command import Command

NOT_YET = "No available agent to submit job"
"""What a head says whose agent has not started yet."""

pytestmark = [LINUX_ONLY, pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(1800)]


def test_a_search_whose_head_is_lost_goes_on_at_a_new_head(
    command: Callable[[str], Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends in one sentence within half a minute; the same command at a new head makes the same table."""
    quiet = command("quiet")
    quiet.start()
    assert quiet.wait() == 0, quiet.err()
    shaken = command("shaken")
    with own_head() as head:
        for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("RAY_AUTH_TOKEN", head.token)
        shaken.start("--address", head.address, "--cpus-per-run", "3")
        assert shaken.wait() == 2
        assert "needs 3 CPUs on one node, but no node of the cluster" in shaken.err()
        assert not shaken.runs.exists(), "nothing was planned"

        shaken.start("--address", head.address)
        shaken.until(lambda: shaken.fold_runs() >= 2)
        head.kill()
        lost = time.monotonic()
        assert shaken.wait() == 2
        assert time.monotonic() - lost < 60
        said = shaken.err()
        assert said.startswith("error: the control store of the Ray cluster at 127.0.0.1:")
        assert said.endswith("run the same command again once a head runs.\n")
        assert said.count("\n") == 1, said
        before = shaken.finished()

        shaken.start("--address", head.address)
        assert shaken.wait() == 2
        assert "nothing listens there" in shaken.err()

        head.start()
        shaken.start("--address", head.address)
        assert shaken.wait() == 0, shaken.err()
        token = head.token
    assert before.items() <= shaken.finished().items(), "a finished run was run again"
    assert shaken.tables() == quiet.tables()
    texts = [path.read_bytes() for path in shaken.folder.rglob("*") if path.is_file()]
    assert not [text for text in texts if token.encode() in text], "the token was written"


def test_ray_job_submit_runs_a_search_with_the_python_of_the_checkout(
    root: Path, command: Callable[[str], Command]
) -> None:
    """As docs/cluster.md says: the absolute path of the interpreter, in the folder of the checkout."""
    made = command("submitted")
    with own_head("--include-dashboard=true") as head:
        settings = [
            "--name", "tiny", "--config", str(made.folder / "tiny.yaml"), "--data-root", str(made.data_root),
            "--runs", str(made.runs),
        ]  # fmt: skip
        search = f"cd {root} && {sys.executable} -m platform.tune --address auto {' '.join(settings)}"
        job = [*RAY, "job", "submit", "--address", f"http://127.0.0.1:{head.dashboard}", "--", "bash", "-c"]
        seen: list[str] = []
        deadline = time.monotonic() + 120
        said = NOT_YET
        while NOT_YET in said and time.monotonic() < deadline:
            with subprocess.Popen(
                [*job, search],
                env={**head.environment, "RAY_AUTH_MODE": "token"},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            ) as submitted:  # fmt: skip
                while submitted.poll() is None:
                    seen += carrying("RAY_AUTH_TOKEN", head.token).values()
                    time.sleep(0.5)
                assert submitted.stdout is not None
                said = submitted.stdout.read()
        token = head.token
    assert submitted.returncode == 0, said
    assert "succeeded" in said
    assert made.tables()["table.md"]
    assert token not in said + "".join(seen), "neither on the screen nor in the list of processes"
