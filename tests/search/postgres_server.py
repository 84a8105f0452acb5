"""A real PostgreSQL server from Debian's packages, for the length of a test session."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "s3cret/and:odd@"
ABSENT = "PostgreSQL's server programs are absent (Debian: apt-get install postgresql)"


def server_programs() -> Path | None:
    """The folder with initdb and pg_ctl; None where they are absent."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    candidates = ([Path(found).parent] if found else []) + folders
    return next((f for f in candidates if (f / "initdb").exists() and (f / "pg_ctl").exists()), None)


@dataclass(frozen=True)
class Server:
    """A running server on localhost, whose superuser `tester` has a password."""

    programs: Path
    data: Path
    port: int

    def url(self, database: str = "postgres", *, password: str | None = None) -> str:
        """The URL of a database, with or without a password."""
        login = "tester" if password is None else f"tester:{password}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def control(self, *words: str) -> None:
        """pg_ctl; it refuses to run as root."""
        _as_nobody([str(self.programs / "pg_ctl"), "-D", str(self.data), *words])

    def start(self) -> None:
        """Start it, the first time or again."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories='' -c fsync=off"
        self.control("start", "-w", "-l", str(self.data.parent / "server.log"), "-o", options)

    def kill(self) -> None:
        """SIGKILL to its first process, as the kernel kills it when memory runs out; the others then end."""
        number = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        others = _children(number)
        os.kill(number, signal.SIGKILL)
        while any(Path(f"/proc/{one}").exists() for one in others):  # a new one waits for their shared memory
            time.sleep(0.05)


def _children(number: int) -> list[int]:
    """Process ids of the children of a process (Linux)."""
    found = Path(f"/proc/{number}/task/{number}/children").read_text()
    return [int(one) for one in found.split()]


def _as_nobody(command: list[str]) -> None:
    user = "nobody" if os.geteuid() == 0 else None
    # Not captured: the server would hold the pipes open for as long as it runs.
    subprocess.run(
        command, user=user, extra_groups=[] if user else None, check=True, timeout=120, cwd="/",
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def own_server() -> Iterator[Server]:
    """A server in a folder of its own, which goes with it; the test is skipped where there is none."""
    programs = server_programs()
    if programs is None:
        pytest.skip(ABSENT)
    # Not pytest's folder: the server runs as another user when the tests run as root.
    with (
        tempfile.TemporaryDirectory(prefix="postgres-") as folder,
        running_server(programs, Path(folder)) as server,
    ):
        yield server


@contextmanager
def running_server(programs: Path, folder: Path) -> Iterator[Server]:
    """Start a server that listens on 127.0.0.1 only and asks for a password; stop it at the end."""
    password_file = folder / "password"
    password_file.write_text(PASSWORD + "\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    if os.geteuid() == 0:
        for path in (folder, password_file):
            shutil.chown(path, "nobody")
    _as_nobody(
        [str(programs / "initdb"), "-D", str(data), "-U", "tester", "-A", "scram-sha-256",
         "--pwfile", str(password_file), "--no-sync", "-E", "UTF8", "--locale=C"]
    )  # fmt: skip
    server = Server(programs=programs, data=data, port=port)
    server.start()
    try:
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):  # a test has ended it
            server.control("stop", "-m", "immediate")
