"""Ray tried once: what is said of the outcome, and that nothing is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from platform.diagnosis.finding import Finding
from platform.diagnosis.ray_trial import ray_starts, ray_tried
from platform.host.probe import ProbeError
from tests.distributed.processes import LINUX_ONLY, carrying

MARK = "PLATFORM_TEST_OF_DOCTOR"


def test_a_start_is_well_with_its_seconds() -> None:
    found = ray_starts(lambda: {"seconds": 3.52, "task_seconds": 0.4})
    assert found == Finding("ok", "Ray", "starts in 3.5 s, first task after 0.4 s")


@pytest.mark.parametrize(
    ("outcome", "remedy"),
    [
        ({"reason": "its metrics agent did not start", "busy": True}, "too busy"),
        ({"reason": "Too many open files", "busy": False}, "remove what the reason names"),
        (ProbeError("ModuleNotFoundError: No module named 'ray'"), "make setup"),
        (ProbeError("there was no answer within 60 s"), "remove what the reason names"),
    ],
)
def test_what_does_not_start_fails_with_the_reason(
    outcome: dict[str, object] | ProbeError, remedy: str
) -> None:
    def answer() -> dict[str, object]:
        if isinstance(outcome, ProbeError):
            raise outcome
        return outcome

    found = ray_starts(answer)
    assert found.state == "failed"
    assert (str(outcome) if isinstance(outcome, ProbeError) else str(outcome["reason"])) in found.value
    assert remedy in found.remedy


def test_its_folder_is_there_while_it_runs_and_gone_afterwards() -> None:
    with ray_tried("os:listdir") as answer:
        assert answer() == []
    with ray_tried("os.path:abspath") as answer:
        folder = Path(str(answer()))
        assert folder.is_dir()
    assert not folder.exists()


def test_no_answer_in_time_is_an_error() -> None:
    with ray_tried("os:mkfifo", 0.0) as answer, pytest.raises(ProbeError, match="within 0 s"):
        answer()


@pytest.mark.slow
@pytest.mark.ray
@LINUX_ONLY
def test_ray_starts_here_and_nothing_of_it_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MARK, str(tmp_path))
    before = set(os.listdir("/tmp"))
    with ray_tried(timeout_seconds=200) as answer:
        outcome = answer()
    assert outcome.keys() == {"seconds", "task_seconds"}, outcome
    assert not carrying(MARK, str(tmp_path))
    assert not {name for name in set(os.listdir("/tmp")) - before if name.startswith("ray-")}


@pytest.mark.slow
@pytest.mark.ray
@LINUX_ONLY
def test_a_start_that_takes_too_long_leaves_nothing_either(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(MARK, str(tmp_path))
    with ray_tried(timeout_seconds=4.0) as answer, pytest.raises(ProbeError, match="within 4 s"):
        answer()
    assert not carrying(MARK, str(tmp_path))
