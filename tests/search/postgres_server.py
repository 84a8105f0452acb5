"""A real PostgreSQL server from Debian's packages, for the length of a test session."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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


def _as_nobody(command: list[str]) -> None:
    user = "nobody" if os.geteuid() == 0 else None
    # Not captured: the server would hold the pipes open for as long as it runs.
    subprocess.run(
        command, user=user, extra_groups=[] if user else None, check=True, timeout=120, cwd="/",
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


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
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off"
    server.control("start", "-w", "-l", str(folder / "server.log"), "-o", options)
    try:
        yield server
    finally:
        server.control("stop", "-m", "immediate")
