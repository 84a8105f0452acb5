"""A host's clock an hour ahead, by libfaketime: for everything that a later login shell starts there."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.cluster_hosts.hosts import Host

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
"""Of the hosts' packages; its version for programs with threads."""
SLEEP = """\
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left) {
    return syscall(SYS_clock_nanosleep, clock, flags, wanted, left) == 0 ? 0 : errno;
}
"""
"""Sleeping by the monotonic clock, which stays right: libfaketime 0.9.10 breaks it, and Python sleeps so."""
PROFILE = """\
export LD_PRELOAD="$HOME/sleep.so {faketime}"
export FAKETIME=+1h DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1
"""
"""For .bashrc, which Ray's launcher reads before it starts Ray on a host."""


def set_clock_ahead(host: Host) -> None:
    """What is started from now on has the wrong clock. Requires a C compiler."""
    home = Path(host.plan.folder) / "home"
    compiler = ["cc", "-shared", "-fPIC", "-x", "c", "-o", home / "sleep.so", "-"]
    subprocess.run(compiler, input=SLEEP.encode(), check=True)
    (home / ".bashrc").write_text(PROFILE.format(faketime=FAKETIME))


def set_clock_right(host: Host) -> None:
    """What is started from now on has the machine's clock."""
    (Path(host.plan.folder) / "home" / ".bashrc").write_text("")
