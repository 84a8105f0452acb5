"""What Ray needs of the place where it starts: paths, memory, open files, processors, proxies."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from platform.diagnosis.finding import Finding
from platform.host.machine_limits import cpu_quota, machine_cpus, machine_memory_bytes, usable_cpus
from platform.host.ray_paths import LONGEST_BYTES, check_paths, ray_folder

SHARED_MEMORY = Path("/dev/shm")
SHARED_MEMORY_BYTES = 2**30
"""Free, at least, for Ray's object store and for NCCL (several Train workers on GPUs). Docker: 64 MiB."""
OPEN_FILES = 4096
"""At least. Ray warns below that; it raises the soft limit to at most RAYS_OPEN_FILES itself."""
RAYS_OPEN_FILES = 65536
MEMORY_BYTES = 4 * 2**30
"""At least, for Ray (1 GiB) and a fold run of the preset quick."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
LOOPBACK = ("localhost", "127.0.0.1")


def paths(environment: Mapping[str, str] = os.environ, check: Callable[..., None] = check_paths) -> Finding:
    """The folder for Ray's sockets, the interpreter and the checkout. Raises UserError, as `check`."""
    check(environment)
    usual = Path(environment.get("RAY_TMPDIR", environment.get("TMPDIR", "/tmp"))) / "ray"
    with ray_folder(environment) as own:
        folder = own or str(usual)
    if own is not None:
        return Finding("ok", "Ray's folder", f"in /tmp, because {usual} does not suit Ray's sockets")
    if usual.exists() and not os.access(usual, os.W_OK | os.X_OK):
        owner = usual.owner()
        value = f"{folder} cannot be written (it belongs to {owner})"
        return Finding("failed", "Ray's folder", value, "export RAY_TMPDIR=/tmp/NAME, a folder of your own")
    value = f"{folder} ({len(os.fsencode(folder))} of at most {LONGEST_BYTES} bytes)"
    return Finding("ok", "Ray's folder", value)


def shared_memory(folder: Path = SHARED_MEMORY, free: Callable[[Path], int] | None = None) -> Finding:
    """Free bytes of /dev/shm."""
    remedy = "give it at least 2 GiB (docker run --shm-size=2g); Ray keeps objects on disk otherwise"
    if not folder.is_dir():
        return Finding("warning", "shared memory", f"{folder} does not exist", remedy)
    count = free(folder) if free is not None else shutil.disk_usage(folder).free
    value = f"{gibibytes(count)} free in {folder}"
    if count < SHARED_MEMORY_BYTES:
        return Finding("warning", "shared memory", value, remedy)
    return Finding("ok", "shared memory", value)


def open_files(limits: Callable[[], tuple[int, int]] | None = None) -> Finding:
    """The limit of open files, as high as Ray raises it."""
    soft, hard = (limits or _file_limits)()
    limit = max(soft, min(hard, RAYS_OPEN_FILES))
    value = f"at most {limit:,}"
    if limit < OPEN_FILES:
        return Finding("warning", "open files", value, f"ulimit -n 8192 (the hard limit is {hard:,})")
    return Finding("ok", "open files", value)


def _file_limits() -> tuple[int, int]:
    """Soft and hard; no limit is a very large number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    return (sys.maxsize if soft == unlimited else soft, sys.maxsize if hard == unlimited else hard)


def processors(
    usable: Callable[[], int] = usable_cpus,
    there: Callable[[], int] = machine_cpus,
    quota: Callable[[], float | None] = cpu_quota,
) -> Finding:
    """CPUs that fold runs may use, within affinity and control groups."""
    count, limit = usable(), quota()
    value = f"{count} usable of {there()}"
    if limit is not None:
        value += f" (control group: {limit:g})"
    if limit is not None and limit < 1:
        return Finding(
            "warning", "CPUs", value, "raise the quota (docker run --cpus, limits.cpu): Ray may time out"
        )
    return Finding("ok", "CPUs", value)


def memory(total: Callable[[], int] = machine_memory_bytes) -> Finding:
    """Memory of the machine or of its control group."""
    count = total()
    if count < MEMORY_BYTES:
        remedy = "raise the limit of the container or batch job; --dry-run says what a command needs"
        return Finding("warning", "memory", gibibytes(count), remedy)
    return Finding("ok", "memory", gibibytes(count))


def proxies(environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether connections within this machine would go through a proxy: Ray's job client follows it."""
    known = {name.lower(): value for name, value in environment.items() if value}
    found = {name: known[name] for name in PROXIES if name in known}
    if not found:
        return Finding("ok", "proxies", "none in the environment")
    value = ", ".join(f"{name} {_without_password(one)}" for name, one in found.items())
    exempt = {word.strip() for word in known.get("no_proxy", "").split(",")}
    if "*" in exempt or exempt.issuperset(LOOPBACK):
        return Finding("ok", "proxies", f"{value}; not for this machine (no_proxy)")
    remedy = "export no_proxy=localhost,127.0.0.1 (with the nodes' addresses on a cluster)"
    return Finding("warning", "proxies", f"{value}; no_proxy does not name {' and '.join(LOOPBACK)}", remedy)


def _without_password(address: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", address)


def gibibytes(count: float) -> str:
    """`1.5 GiB`, `64 MiB`."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
