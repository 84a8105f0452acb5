"""The interface that gloo and NCCL use: the one of the node's address, unless the user names another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from platform.distributed.network_interface import GLOO, NCCL, interface_of, own_interfaces, use_interface_of
from tests.distributed.processes import LINUX_ONLY

INTERFACES = {
    "lo": ["127.0.0.1", "::1"],
    "docker0": ["172.17.0.1"],
    "ens5": ["10.0.0.7", "10.0.0.8", "fe80::1%ens5"],
    "ens50": ["192.168.1.2", "fd00::2"],
}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.0.0.7", "ens5"),
        ("10.0.0.8", "ens5"),  # not the interface's first
        ("192.168.1.2", "ens50"),
        ("fd00::2", "ens50"),
        ("127.0.0.1", "lo"),
        ("203.0.113.9", None),  # what a router translates is on no interface
    ],
)
def test_the_interface_that_carries_the_address(address: str, name: str | None) -> None:
    assert interface_of(address, INTERFACES) == name
    environment: dict[str, str] = {}
    use_interface_of(address, environment, INTERFACES)
    assert environment == ({GLOO: name, NCCL: f"={name}"} if name else {})


def test_a_value_that_the_user_set_stays_except_where_nothing_may_listen_beyond_loopback() -> None:
    environment = {GLOO: "ens50"}
    use_interface_of("10.0.0.7", environment, INTERFACES)
    assert environment == {GLOO: "ens50", NCCL: "=ens5"}
    use_interface_of("127.0.0.1", environment, INTERFACES)
    assert environment == {GLOO: "lo", NCCL: "=lo"}


@LINUX_ONLY
def test_this_machines_interfaces_are_found() -> None:
    assert "127.0.0.1" in own_interfaces()["lo"]


HOSTS = """
set -e
ip link set lo up
ip link add cluster0 type veth peer name other
ip addr add 10.99.0.1/24 dev cluster0
host() {  # name, address, rank: a host whose own name stands at 127.0.1.1, as on Debian
  hostname $1
  printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' $1 > $FOLDER/hosts.$1
  mount --bind $FOLDER/hosts.$1 /etc/hosts
  exec $PYTHON -m tests.distributed.two_hosts $FOLDER $2 $3 $CHOICE
}
export -f host
unshare --net --uts --mount bash -ec '
  while ! ip link show cluster0 > /dev/null 2>&1; do sleep 0.1; done
  ip link set lo up; ip addr add 10.99.0.2/24 dev cluster0; ip link set cluster0 up; host two 10.99.0.2 1' &
ip link set other netns $! name cluster0
ip link set cluster0 up
unshare --uts --mount bash -ec 'host one 10.99.0.1 0'
wait $!
"""


@LINUX_ONLY
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"),
    reason="hosts in namespaces need root, unshare and ip",
)
@pytest.mark.parametrize(("choice", "connected"), [("ours", True), ("gloo", False)])
def test_two_hosts_whose_names_stand_at_127_0_1_1_find_each_other(
    root: Path, tmp_path: Path, choice: str, connected: bool
) -> None:
    """And do not if gloo chooses: it takes the address of the host's name."""
    result = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", HOSTS],
        cwd=root,
        env={**os.environ, "FOLDER": str(tmp_path), "PYTHON": sys.executable, "CHOICE": choice},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    sums = sorted(path.read_text() for path in tmp_path.glob("sum.*"))
    assert sums == (["3.0 cluster0"] * 2 if connected else []), result.stderr
