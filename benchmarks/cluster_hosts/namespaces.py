"""Namespaces for a benchmark's own process, in which it may make bridges and mounts that end with it."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.cluster_hosts.packages import PACKAGES, mount_packages, unpacked_packages

INSIDE = "FER_BENCHMARK_NAMESPACE"
"""Set in the process that runs in its own namespaces."""
UNPACKED = "packages"


def own_place(parser: argparse.ArgumentParser, folder: Path, packages: tuple[str, ...] = PACKAGES) -> Path:
    """Continue this command in its own namespaces, with the hosts' packages; the emptied folder.

    Ends with a message of `parser` where namespaces or `folder` cannot be used.
    """
    folder = folder.absolute()
    if os.geteuid() != 0 or sys.platform != "linux":
        parser.error("requires Linux and root, to create namespaces")
    if folder.is_relative_to("/tmp"):
        parser.error(f"--folder must be outside of /tmp, which is another on every host, but is {folder}")
    root = unpacked_packages(folder / UNPACKED, packages)
    _enter_namespaces()
    for path in folder.iterdir():
        if path.name != UNPACKED:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    # Ray's launcher keeps the state of clusters in /tmp.
    temporary = folder / "launcher" / "tmp"
    temporary.mkdir(parents=True)
    subprocess.run(["mount", "--bind", temporary, "/tmp"], check=True)
    mount_packages(root, folder / "launcher")
    return folder


def _enter_namespaces() -> None:
    """Run this command again in namespaces of its own, and end with it; return where it already is there."""
    if os.environ.get(INSIDE):
        return
    namespaces = ["--net", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child"]
    module = ["-m", sys.modules["__main__"].__spec__.name]  # type: ignore[union-attr]
    words = ["unshare", *namespaces, sys.executable, *module, *sys.argv[1:]]
    with subprocess.Popen(words, env={**os.environ, INSIDE: "1"}) as inner:
        # `unshare` itself ignores SIGTERM; its end takes everything along.
        signal.signal(signal.SIGTERM, lambda *_: inner.kill())
        sys.exit(inner.wait())
