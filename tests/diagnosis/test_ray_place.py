"""What Ray needs of a place, judged on places that are made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from platform.diagnosis import ray_place
from platform.diagnosis.finding import Check, findings

LONG = "/scratch/a-rather-long-folder-of-a-batch-system/job-1234567"


def test_a_short_folder_is_well_and_its_length_is_shown() -> None:
    found = ray_place.paths({"RAY_TMPDIR": "/no"})
    assert (found.state, found.value) == ("ok", "/no/ray (7 of at most 40 bytes)")


def test_a_long_temporary_folder_gives_way_to_a_short_one() -> None:
    found = ray_place.paths({"TMPDIR": LONG})
    assert found.state == "ok"
    assert "in /tmp, because" in found.value


def test_a_long_folder_that_the_user_chose_for_ray_fails_with_a_remedy() -> None:
    (found,) = findings([Check("paths", lambda: ray_place.paths({"RAY_TMPDIR": LONG}))])
    assert found.state == "failed"
    assert found.remedy == "set RAY_TMPDIR=/tmp"


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_place, "Path", lambda name: tmp_path)
    monkeypatch.setattr(ray_place.os, "access", lambda path, mode: False)
    (tmp_path / "ray").mkdir()
    found = ray_place.paths({})
    assert found.state == "failed"
    assert "it belongs to" in found.value
    assert "RAY_TMPDIR" in found.remedy


@pytest.mark.parametrize(("free", "state"), [(64 * 2**20, "warning"), (8 * 2**30, "ok")])
def test_little_shared_memory_is_a_warning(free: int, state: str, tmp_path: Path) -> None:
    found = ray_place.shared_memory(tmp_path, lambda folder: free)
    assert found.state == state
    assert ray_place.gibibytes(free) in found.value
    assert ("--shm-size" in found.remedy) == (state == "warning")


def test_no_shared_memory_at_all_is_a_warning(tmp_path: Path) -> None:
    assert ray_place.shared_memory(tmp_path / "no").state == "warning"


def test_a_real_folder_is_measured(tmp_path: Path) -> None:
    assert f"iB free in {tmp_path}" in ray_place.shared_memory(tmp_path).value


@pytest.mark.parametrize(
    ("soft", "hard", "state", "shown"),
    [
        (1024, 1024, "warning", "1,024"),
        (1024, 524_288, "ok", "65,536"),
        (1024, sys.maxsize, "ok", "65,536"),
        (100_000, 200_000, "ok", "100,000"),
    ],
)
def test_the_limit_of_open_files_is_the_one_that_ray_raises_it_to(
    soft: int, hard: int, state: str, shown: str
) -> None:
    found = ray_place.open_files(lambda: (soft, hard))
    assert (found.state, found.value) == (state, f"at most {shown}")
    assert ("ulimit -n 8192" in found.remedy) == (state == "warning")


def test_the_limits_of_this_process_can_be_read() -> None:
    assert ray_place.open_files().value


@pytest.mark.parametrize(
    ("quota", "state", "value"),
    [
        (None, "ok", "4 usable of 64"),
        (4.0, "ok", "(control group: 4)"),
        (0.5, "warning", "control group: 0.5"),
    ],
)
def test_a_quota_below_one_processor_is_a_warning(quota: float | None, state: str, value: str) -> None:
    found = ray_place.processors(lambda: 4, lambda: 64, lambda: quota)
    assert found.state == state
    assert value in found.value


@pytest.mark.parametrize(("total", "state"), [(2 * 2**30, "warning"), (8 * 2**30, "ok")])
def test_little_memory_is_a_warning(total: int, state: str) -> None:
    found = ray_place.memory(lambda: total)
    assert (found.state, found.value) == (state, f"{total // 2**30}.0 GiB")


@pytest.mark.parametrize(
    ("environment", "state", "value"),
    [
        ({}, "ok", "none"),
        ({"http_proxy": ""}, "ok", "none"),
        ({"HTTPS_PROXY": "http://me:secret@proxy:3128"}, "warning", "https_proxy http://***@proxy:3128"),
        ({"http_proxy": "http://p", "no_proxy": "localhost"}, "warning", "does not name localhost and 127"),
        ({"http_proxy": "http://p", "NO_PROXY": "localhost, 127.0.0.1,.lan"}, "ok", "no_proxy"),
        ({"http_proxy": "http://p", "no_proxy": "*"}, "ok", "no_proxy"),
    ],
)
def test_a_proxy_that_stands_before_this_machine_is_a_warning_without_its_password(
    environment: dict[str, str], state: str, value: str
) -> None:
    found = ray_place.proxies(environment)
    assert found.state == state
    assert value in found.value
    assert "secret" not in found.value
