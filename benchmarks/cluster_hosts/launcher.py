"""The person at the keyboard: `ray up`, `ray exec` and `ray down` with the cluster file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster_hosts.hosts import ROOT

UP_SECONDS = 600
SECONDS = 120


@dataclass
class Launcher:
    """A home folder with a key and a token, and a cluster file."""

    home: Path
    cluster: Path

    @property
    def environment(self) -> dict[str, str]:
        """For Ray's commands. Autoscaler version 2 starts one worker too few of a local cluster."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        binaries = f"{Path(sys.executable).parent}:{kept['PATH']}"
        return {
            **kept, "PATH": binaries, "HOME": str(self.home), "RAY_AUTH_MODE": "token",
            "RAY_USAGE_STATS_ENABLED": "0", "RAY_UP_enable_autoscaler_v2": "0",
        }  # fmt: skip

    def ray(self, *words: str, seconds: float = SECONDS) -> str:
        """Run a command of Ray; its output. SystemExit: it failed, with the end of its output."""
        done = subprocess.run(
            ["ray", *words], cwd=ROOT, env=self.environment, timeout=seconds, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"`ray {' '.join(words)}` ended with {done.returncode}: {done.stdout[-4000:]}")
        return done.stdout

    def up(self) -> str:
        """`ray up`: the head runs when it returns; workers follow."""
        return self.ray("up", "-y", str(self.cluster), seconds=UP_SECONDS)

    def execute(self, command: str, *flags: str) -> str:
        """`ray exec`: a command on the head."""
        return self.ray("exec", *flags, str(self.cluster), command)

    def down(self) -> str:
        """`ray down`."""
        return self.ray("down", "-y", str(self.cluster))

    def nodes(self) -> int:
        """Nodes that have joined, the head included."""
        said = self.execute("RAY_AUTH_MODE=token ray status")
        joined = said.split("Pending:")[0]
        return sum(int(count) for count in re.findall(r"^ (\d+) \S+", joined, re.MULTILINE))

    def wait_for_nodes(self, count: int, seconds: float = UP_SECONDS) -> None:
        """Wait until `count` nodes have joined. SystemExit: they have not in time."""
        deadline = time.monotonic() + seconds
        while self.nodes() < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"fewer than {count} nodes joined within {seconds:.0f} s")
            time.sleep(2)


def make_home(home: Path) -> str:
    """Make a home folder with a new key and a token; the public key."""
    key = home / ".ssh" / "id"
    key.parent.mkdir(parents=True, exist_ok=True)
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    environment = {**os.environ, "HOME": str(home)}
    if not (home / ".ray" / "auth_token").exists():
        ray = Path(sys.executable).parent / "ray"
        subprocess.run(
            [ray, "get-auth-token", "--generate"], env=environment, check=True, capture_output=True
        )
    return key.with_suffix(".pub").read_text()
