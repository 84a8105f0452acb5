"""Functions in a process of their own: an answer, or the reason why there is none, and nothing left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from platform.host.probe import Probe, ProbeError
from tests.distributed.processes import LINUX_ONLY, carrying

MARK = "PLATFORM_TEST_OF_PROBES"


def test_the_answer_is_what_the_function_returns() -> None:
    with Probe("json:loads", '{"a": [1, null]}', timeout_seconds=60) as probe:
        assert probe.answer() == {"a": [1, None]}


def test_our_packages_are_found_whatever_the_working_directory_and_safe_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    with Probe("platform.host.console:visible", "a\x1b", timeout_seconds=60) as probe:
        assert probe.answer() == "a\\x1b"


@pytest.mark.parametrize(
    ("function", "argument", "said"),
    [
        ("json:loads", "{", "JSONDecodeError: Expecting property name"),
        ("sys:exit", "no\nmore", "SystemExit: no$"),
        ("no_such_module:name", "", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("json:no_such_name", "", "AttributeError"),
        ("pathlib:Path", "x", "TypeError: Object of type PosixPath is not JSON"),
    ],
)
def test_a_function_that_fails_says_why(function: str, argument: str, said: str) -> None:
    with Probe(function, argument, timeout_seconds=60) as probe, pytest.raises(ProbeError, match=said):
        probe.answer()


def test_a_crash_names_the_signal() -> None:
    with (
        Probe("os:abort", timeout_seconds=60) as probe,
        pytest.raises(ProbeError, match="ended by SIGABRT"),
    ):
        probe.answer()


def test_an_interpreter_that_is_not_there_is_named() -> None:
    with pytest.raises(ProbeError, match="/no/python cannot be started: No such file"):
        Probe("os:getcwd", timeout_seconds=60, python="/no/python")


@LINUX_ONLY
def test_when_time_is_up_the_process_and_what_it_started_are_gone(tmp_path: Path) -> None:
    environment = {**os.environ, MARK: str(tmp_path)}
    with (
        Probe("subprocess:getoutput", "sleep 600", timeout_seconds=1, environment=environment) as probe,
        pytest.raises(ProbeError, match="no answer within 1 s"),
    ):
        probe.answer()
    assert _gone(tmp_path)


@LINUX_ONLY
def test_a_probe_that_nobody_asks_ends_with_its_context(tmp_path: Path) -> None:
    environment = {**os.environ, MARK: str(tmp_path)}
    with Probe("subprocess:getoutput", "sleep 600", timeout_seconds=60, environment=environment):
        assert carrying(MARK, str(tmp_path))
    assert _gone(tmp_path)


@LINUX_ONLY
def test_it_ends_with_the_process_that_asks_even_if_that_is_killed(root: Path, tmp_path: Path) -> None:
    code = (
        "import os\nfrom platform.host.probe import Probe\n"
        "probe = Probe('subprocess:getoutput', 'sleep 600', timeout_seconds=60)\n"
        "print('started', flush=True)\nos.read(0, 1)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, MARK: str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == "started\n"
        deadline = time.monotonic() + 30
        while not any("sleep 600" in command for command in carrying(MARK, str(tmp_path)).values()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        asking.kill()
    assert _gone(tmp_path)


def _gone(tmp_path: Path) -> bool:
    """Whether no process carries the mark; signals take a moment to arrive."""
    deadline = time.monotonic() + 30
    while carrying(MARK, str(tmp_path)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
