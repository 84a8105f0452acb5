"""CPUs and memory of a process in control groups: fake trees of version 1 and 2, as containers show them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from platform.cli.prepare_settings import preparation_settings
from platform.config.configuration import Plan
from platform.distributed.cluster import local_slots
from platform.host.machine_limits import cpu_quota, machine_memory_bytes, usable_cpus
from platform.prepare import make_parser as prepare_parser

NO_LIMIT_V1 = str(2**63 - 4096)
AFFINITY = 8


@pytest.fixture(autouse=True)
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(AFFINITY)), raising=False)


def tree(folder: Path, groups: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A fake /sys/fs/cgroup with these files, and a fake /proc/self/cgroup."""
    root, own_groups = folder / "cgroup", folder / "self_cgroup"
    root.mkdir()
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    own_groups.write_text(groups)
    return root, own_groups


V2 = "0::/\n"
V1 = "4:memory:/\n1:cpu,cpuacct:/\n"


def v1_quota(folder: str, quota: int) -> dict[str, str]:
    return {f"{folder}/cpu.cfs_quota_us": str(quota), f"{folder}/cpu.cfs_period_us": "100000"}


CPU_LIMITS = {
    "no control groups": ("", {}, AFFINITY),
    "v2, no limit": (V2, {"cpu.max": "max 100000"}, AFFINITY),
    "v2, two CPUs": (V2, {"cpu.max": "200000 100000"}, 2),
    "v2, half a CPU": (V2, {"cpu.max": "50000 100000"}, 1),
    "v2, two and a half": (V2, {"cpu.max": "250000 100000"}, 2),
    "v2, more than the affinity": (V2, {"cpu.max": "6400000 100000"}, AFFINITY),
    "v2, a group below": ("0::/job/step\n", {"job/step/cpu.max": "300000 100000"}, 3),
    "v2, the group above is stricter": (
        "0::/job/step\n",
        {"job/step/cpu.max": "300000 100000", "job/cpu.max": "100000 100000"},
        1,
    ),
    "v2, the host's path in a container": ("0::/docker/abc\n", {"cpu.max": "200000 100000"}, 2),
    "v1, no limit": (V1, v1_quota("cpu,cpuacct", -1), AFFINITY),
    "v1, three CPUs": (V1, v1_quota("cpu,cpuacct", 300_000), 3),
    "v1, a group below": ("1:cpu:/quota\n", v1_quota("cpu/quota", 50_000), 1),
    "hybrid, limited by v2": (
        "1:cpu:/\n0::/job\n", {**v1_quota("cpu", -1), "unified/job/cpu.max": "200000 100000"}, 2
    ),
    "damaged": (V2, {"cpu.max": "many"}, AFFINITY),
    "a period of nought": (V2, {"cpu.max": "100000 0"}, AFFINITY),
}  # fmt: skip


@pytest.mark.parametrize(("groups", "files", "cpus"), CPU_LIMITS.values(), ids=CPU_LIMITS)
def test_cpus_are_what_affinity_and_quota_leave(
    tmp_path: Path, groups: str, files: dict[str, str], cpus: int
) -> None:
    assert usable_cpus(*tree(tmp_path, groups, files)) == cpus


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path / "none", tmp_path / "none") == AFFINITY


MEMORY_LIMITS = {
    "v2": (V2, {"memory.max": str(2**27)}),
    "v2, a group below": ("0::/job\n", {"job/memory.max": str(2**27), "memory.max": "max"}),
    "v1": (V1, {"memory/memory.limit_in_bytes": str(2**27)}),
    "v1, a group below": (
        "4:memory:/job\n",
        {"memory/memory.limit_in_bytes": NO_LIMIT_V1, "memory/job/memory.limit_in_bytes": str(2**27)},
    ),
}


@pytest.mark.parametrize(("groups", "files"), MEMORY_LIMITS.values(), ids=MEMORY_LIMITS)
def test_memory_is_the_least_limit(tmp_path: Path, groups: str, files: dict[str, str]) -> None:
    assert machine_memory_bytes(*tree(tmp_path, groups, files)) == 2**27


def test_without_a_limit_the_memory_is_the_machine_s(tmp_path: Path) -> None:
    limits = {"memory.max": "max", "memory/memory.limit_in_bytes": NO_LIMIT_V1}
    assert machine_memory_bytes(*tree(tmp_path, V2, limits)) == os.sysconf("SC_PAGE_SIZE") * os.sysconf(
        "SC_PHYS_PAGES"
    )


def test_fold_runs_and_processes_are_as_many_as_the_quota_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that counts CPUs asks `usable_cpus`."""
    for module in ("distributed.cluster", "cli.prepare_settings"):
        monkeypatch.setattr(f"platform.{module}.usable_cpus", lambda: 3)
    assert local_slots(Plan()).fold_runs == 3
    from datasets.catalogue import describe

    arguments = prepare_parser().parse_args(["--dataset", "ckplus", "--data-root", str(tmp_path)])
    assert preparation_settings(arguments, describe("ckplus"))["workers"] == 3


def test_nothing_else_counts_the_machine_s_cpus(root: Path) -> None:
    counting = ("cpu_count", "sched_getaffinity")
    files = [
        file for folder in ("platform", "datasets", "search_spaces") for file in (root / folder).rglob("*.py")
    ]
    found = [file.name for file in files if any(word in file.read_text() for word in counting)]
    assert found == ["machine_limits.py"]


@pytest.mark.parametrize(
    ("limit", "quota"), [("max 100000", None), ("50000 100000", 0.5), ("400000 100000", 4.0)]
)
def test_the_quota_itself_may_be_less_than_one_cpu(limit: str, quota: float | None, tmp_path: Path) -> None:
    assert cpu_quota(*tree(tmp_path, V2, {"cpu.max": limit})) == quota
