"""Memory and CPUs that this process may use, within its control groups and CPU affinity.

Containers and batch systems set limits by Linux control groups, version 1 (one tree for each controller) or
2 (a single tree). A limit holds for everything below its folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
"""One line for each tree: `number:controllers:path`; version 2 has number 0 and no controllers."""


def usable_cpus(root: Path = CONTROL_GROUPS, own_groups: Path = OWN_GROUPS) -> int:
    """Whole CPUs, at least one: the minimum of affinity and control group quotas of this process."""
    if hasattr(os, "sched_getaffinity"):
        cpus = float(len(os.sched_getaffinity(0)))
    else:
        cpus = float(os.cpu_count() or 1)
    return max(1, int(min([cpus, *_cpu_quotas(root, own_groups)])))


def machine_cpus() -> int:
    """CPUs of the machine, whether this process may use them or not."""
    return os.cpu_count() or 1


def cpu_quota(root: Path = CONTROL_GROUPS, own_groups: Path = OWN_GROUPS) -> float | None:
    """CPUs that the control groups of this process allow, which may be less than one; None: no quota."""
    return min(_cpu_quotas(root, own_groups), default=None)


def machine_memory_bytes(root: Path = CONTROL_GROUPS, own_groups: Path = OWN_GROUPS) -> int:
    """Bytes of memory: the minimum of this machine's and the control group limits of this process."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [_numbers(folder / "memory.max") for folder in _groups(root, own_groups, "")]
    limits += [_numbers(folder / "memory.limit_in_bytes") for folder in _groups(root, own_groups, "memory")]
    return int(min([memory, *(limit[0] for limit in limits if limit)]))


def _cpu_quotas(root: Path, own_groups: Path) -> Iterator[float]:
    """Quotas in CPUs: microseconds of processor time per period, divided by the length of the period."""
    for folder in _groups(root, own_groups, ""):
        pair = _numbers(folder / "cpu.max")
        if len(pair) == 2 and pair[1] > 0:
            yield pair[0] / pair[1]
    for folder in _groups(root, own_groups, "cpu"):
        quota, period = _numbers(folder / "cpu.cfs_quota_us"), _numbers(folder / "cpu.cfs_period_us")
        if quota and period and quota[0] > 0 and period[0] > 0:  # a quota of -1: none
            yield quota[0] / period[0]


def _groups(root: Path, own_groups: Path, controller: str) -> list[Path]:
    """Folders of this process's group and its ancestors in the tree of `controller` ("": version 2).

    A container may see its own group as the root of the tree, but the path as its host sees it. Missing
    folders are therefore left out, and the root is always included.
    """
    trees = [root, root / "unified"] if controller == "" else [root / controller]
    path = "/"
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:  # no control groups
        lines = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controller in controllers.split(","):
            path = group
            if controllers:
                trees.append(root / controllers)
    within = Path(path.lstrip("/"))
    folders = [tree / part for tree in trees for part in (within, *within.parents)]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _numbers(file: Path) -> list[float]:
    """The numbers in the file; none if it does not exist or contains `max`."""
    try:
        return [float(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return []
