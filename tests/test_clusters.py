"""The folder `clusters/`: what the head may do, and scripts run with stand-ins for what they call."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cluster_files import filled

SCRIPTS = ("aws_account.sh", "aws_image.sh", "set_up_node.sh")
ADDRESS = "203.0.113.7"
LOG = 'printf "%s\\n" "$(basename "$0") $*" >> "$CALLS"\n'
AWS = (
    LOG
    + """case "$*" in
*"get-role"*) exit 1 ;;
*"describe-vpcs"*) echo vpc-1 ;;
*"create-security-group"*) echo sg-1 ;;
*"create-file-system"*) echo fs-1 ;;
*"describe-file-systems"*) echo available ;;
*"describe-subnets"*) echo "subnet-1 subnet-2" ;;
*"run-instances"*) echo i-1 ;;
*"describe-instances"*) echo 198.51.100.9 ;;
*"create-image"*) echo ami-1 ;;
esac
"""
)


class Place:
    """A shell whose PATH has stand-ins for commands, and the calls that were made of them."""

    def __init__(self, folder: Path, scripts: Path) -> None:
        self.folder, self.scripts = folder, scripts
        self.home, self.bin = folder / "home", folder / "bin"
        self.home.mkdir()
        self.bin.mkdir()

    def stand_in(self, name: str, text: str = LOG) -> None:
        """A command of that name, by default one that only writes down how it was called."""
        (self.bin / name).write_text(f"#!/bin/bash\n{text}")
        (self.bin / name).chmod(0o755)

    def run(self, script: str, *words: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
        """Run a script of the folder."""
        environment = {
            "HOME": str(self.home), "PATH": f"{self.bin}:{path}", "CALLS": str(self.folder / "calls"),
        }  # fmt: skip
        command = ["/bin/bash", str(self.scripts / script), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def calls(self) -> list[str]:
        """What was called, in order."""
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def place(tmp_path: Path, root: Path) -> Place:
    return Place(tmp_path, root / "clusters")


@pytest.fixture(scope="module")
def policy(root: Path) -> list[dict[str, Any]]:
    """The statements of the head's policy."""
    return json.loads((root / "clusters/aws_head_policy.json").read_text(encoding="utf-8"))["Statement"]


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_head_may_do_what_rays_autoscaler_asks_of_ec2_and_nothing_else(
    policy: list[dict[str, Any]],
) -> None:
    assert all(statement["Effect"] == "Allow" for statement in policy)
    allowed = {action for statement in policy for action in as_list(statement["Action"])}
    assert allowed == {
        "ec2:DescribeInstances", "ec2:RunInstances", "ec2:CreateTags", "ec2:TerminateInstances",
    }  # fmt: skip


def test_the_head_ends_and_tags_nodes_of_its_own_cluster_only(
    policy: list[dict[str, Any]], root: Path
) -> None:
    name = filled(root)["cluster_name"]
    for statement in policy:
        actions, resources = set(as_list(statement["Action"])), as_list(statement["Resource"])
        if "*" in resources:
            assert actions == {"ec2:DescribeInstances"}
        if any(resource.endswith(":instance/*") for resource in resources):
            assert len(resources) == 1, "a condition on instances must not loosen or tighten other things"
            conditions = statement["Condition"]["StringEquals"]
            assert conditions in (
                {"aws:RequestTag/ray-cluster-name": name},
                {"aws:ResourceTag/ray-cluster-name": name},
                {"ec2:CreateAction": "RunInstances"},
            )
            if "ec2:TerminateInstances" in actions:
                assert conditions == {"aws:ResourceTag/ray-cluster-name": name}


def test_ray_asks_for_nothing_that_the_policy_lacks() -> None:
    """What the provider calls on the head, read in Ray's source: a new call needs a new right."""
    import ray.autoscaler

    source = Path(ray.autoscaler.__file__).parent / "_private/aws/node_provider.py"
    text = source.read_text(encoding="utf-8")
    for call in ("create_instances(", "instances.filter(", "create_tags(", "terminate_instances"):
        assert call in text
    # Stopping and starting are for cached nodes, images for CloudWatch; the file asks for neither.
    known = {
        "create_tags", "describe_images", "start_instances", "stop_instances", "terminate_instances",
    }  # fmt: skip
    used = {
        line.split("meta.client.")[1].split("(")[0].strip()
        for line in text.splitlines()
        if "meta.client." in line
    }
    assert used == known


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_one_that_bash_reads_and_that_can_be_started(root: Path, name: str) -> None:
    path = root / "clusters" / name
    subprocess.run(["bash", "-n", str(path)], check=True)
    assert os.access(path, os.X_OK)
    assert path.read_text().splitlines()[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in path.read_text()


def test_the_account_admits_ssh_from_one_address_and_gives_the_head_this_policy(
    place: Place, root: Path
) -> None:
    place.stand_in("aws", AWS)
    done = place.run("aws_account.sh", "eu-central-1", ADDRESS)
    assert done.returncode == 0, done.stderr
    calls = place.calls()
    rules = [call for call in calls if "authorize-security-group-ingress" in call]
    assert [call.partition("--group-id sg-1 ")[2] for call in rules] == [
        f"--protocol tcp --port 22 --cidr {ADDRESS}/32",
        "--protocol all --source-group sg-1",
    ]
    (given,) = [call for call in calls if "put-role-policy" in call]
    assert given.endswith(f"--policy-document file://{root}/clusters/aws_head_policy.json")
    profile = filled(root)["available_node_types"]["head"]["node_config"]["IamInstanceProfile"]["Name"]
    assert f"aws iam create-instance-profile --instance-profile-name {profile}" in calls
    assert not any("attach-role-policy" in call for call in calls)
    assert sum("create-mount-target" in call for call in calls) == 2
    assert "FILL_IN_SECURITY_GROUP  sg-1" in done.stdout
    assert "FILL_IN_FILE_SYSTEM     fs-1.efs.eu-central-1.amazonaws.com" in done.stdout


@pytest.mark.parametrize("words", [[], ["eu-central-1"], ["eu-central-1", "0.0.0.0"], ["r", "0.0.0.0/0"]])
def test_an_account_open_to_the_world_is_refused_before_anything_is_made(
    place: Place, words: list[str]
) -> None:
    place.stand_in("aws", AWS)
    assert place.run("aws_account.sh", *words).returncode == 2
    assert not place.calls()


def made_image(place: Place, root: Path, tmp_path: Path, ssh: str) -> subprocess.CompletedProcess[str]:
    checkout = tmp_path / "checkout"
    for folder in (checkout / "clusters", checkout / "build/cluster-source/clusters"):
        folder.mkdir(parents=True)
        for name in SCRIPTS:
            (folder / name).write_text((root / "clusters" / name).read_text())
    place.scripts = checkout / "clusters"
    place.stand_in("aws", AWS)
    place.stand_in("rsync")
    place.stand_in("ssh", ssh)
    return place.run("aws_image.sh", "eu-central-1", "my-key", "sg-1")


def test_an_image_is_made_of_a_node_that_was_set_up_as_the_others(
    place: Place, root: Path, tmp_path: Path
) -> None:
    done = made_image(place, root, tmp_path, LOG)
    assert done.returncode == 0, done.stderr
    calls = place.calls()
    (setting_up,) = [call for call in calls if call.startswith("ssh ")]
    assert setting_up.endswith("ubuntu@198.51.100.9 bash fer-source/clusters/set_up_node.sh")
    assert calls.index(setting_up) < next(i for i, call in enumerate(calls) if "create-image" in call)
    assert calls[-1] == "aws ec2 terminate-instances --instance-ids i-1"
    assert done.stdout.splitlines()[-1].split() == ["FILL_IN_IMAGE", "ami-1"]


def test_a_set_up_that_fails_makes_no_image_and_leaves_no_node(
    place: Place, root: Path, tmp_path: Path
) -> None:
    assert made_image(place, root, tmp_path, LOG + "exit 3\n").returncode == 3
    calls = place.calls()
    assert not any("create-image" in call for call in calls)
    assert calls[-1] == "aws ec2 terminate-instances --instance-ids i-1"


# --- one node -----------------------------------------------------------------------------------------


@pytest.fixture
def node(place: Place) -> Place:
    """A node with all tools: stand-ins for those that the script looks for, copies or changes things with."""
    for name in ("make", "rsync", "tmux", "python3", "apt-get", "mount.nfs4", "mountpoint", "readlink"):
        place.stand_in(name)
    place.stand_in("sudo", LOG + 'case "$1" in ln) ;; *) exec env "$@" ;; esac\n')
    place.stand_in("hostname", "echo node-1\n")
    for name in ("env", "bash", "mkdir", "basename"):
        (place.bin / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    return place


def test_a_node_with_all_tools_is_only_given_the_checkout(node: Place) -> None:
    done = node.run("set_up_node.sh", path="")
    assert done.returncode == 0, done.stderr
    checkout = node.home / "fer-platform"
    calls = [call for call in node.calls() if call.startswith(("rsync", "make", "sudo", "apt"))]
    copying, making, linking = calls
    assert copying.startswith("rsync --recursive --links --perms --checksum --delete ")
    assert "--times" not in copying, "a requirements.lock of the same content must stay older than the .venv"
    assert copying.endswith(f" {node.home}/fer-source/ {checkout}/")
    for kept in ("/.venv/", "/data/", "/runs/"):
        assert f"--exclude={kept}" in copying
    assert making == f"make -C {checkout} setup"
    assert linking == f"sudo ln -sf {checkout}/.venv/bin/ray /usr/local/bin/ray"


def test_only_missing_tools_are_installed(node: Place) -> None:
    (node.bin / "tmux").unlink()
    (node.bin / "rsync").unlink()
    node.run("set_up_node.sh", path="")
    assert "sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq rsync tmux" in node.calls()


def test_what_cannot_be_installed_is_named_with_the_host(node: Place) -> None:
    (node.bin / "tmux").unlink()
    (node.bin / "apt-get").unlink()
    done = node.run("set_up_node.sh", path="")
    assert done.returncode == 1
    assert done.stderr == "node-1 lacks tmux: install them\n"


def test_a_node_that_was_set_up_before_needs_no_other_user(node: Place) -> None:
    node.stand_in("readlink", f"echo {node.home}/fer-platform/.venv/bin/ray\n")
    assert node.run("set_up_node.sh", path="").returncode == 0
    assert not [call for call in node.calls() if call.startswith("sudo")]
