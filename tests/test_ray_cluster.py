"""ray_cluster.yaml against Ray's own schema, and against what our drivers count on."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from platform.host.checkout import read_checkout

Config = dict[str, Any]


@pytest.fixture(scope="module")
def written(root: Path) -> Config:
    """The file as it is written."""
    return yaml.safe_load((root / "ray_cluster.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def prepare() -> Callable[[Config], Config]:
    """What `ray up` does before it asks the cloud: fill in the defaults, then validate."""
    # Private names of the one Ray version in the lock file; there is no public offline check.
    from ray.autoscaler._private.util import prepare_config, validate_config

    def prepared(config: Config) -> Config:
        full = prepare_config(copy.deepcopy(config))
        validate_config(full)
        return full

    return prepared


@pytest.fixture(scope="module")
def cluster(written: Config, prepare: Callable[[Config], Config]) -> Config:
    """The file with Ray's defaults, as nodes are made from it."""
    return prepare(written)


def test_ray_accepts_the_file_and_keeps_what_it_says(cluster: Config, written: Config) -> None:
    assert cluster["max_workers"] == written["max_workers"] == 8  # not Ray's silent default of 2
    assert set(cluster["available_node_types"]) == {"head", "gpu_worker"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"max_worker": 3}, jsonschema.ValidationError),
        ({"head_node_type": "haed"}, ValueError),
        ({"max_workers": -1}, jsonschema.ValidationError),
        ({"setup_commands": [1]}, jsonschema.ValidationError),
    ],
)
def test_rays_check_finds_mistakes(
    written: Config, prepare: Callable[[Config], Config], change: Config, error: type[Exception]
) -> None:
    with pytest.raises(error):
        prepare(written | change)


def test_trials_wait_on_the_head_and_fold_runs_go_elsewhere(cluster: Config) -> None:
    head = cluster["available_node_types"][cluster["head_node_type"]]
    assert head["resources"] == {"CPU": 0, "trial_slot": 100}
    assert head["max_workers"] == 0
    others = [t for name, t in cluster["available_node_types"].items() if name != cluster["head_node_type"]]
    assert all("trial_slot" not in node_type["resources"] for node_type in others)


def test_workers_come_and_go_within_the_clusters_limit(cluster: Config) -> None:
    workers = cluster["available_node_types"]["gpu_worker"]
    assert workers["min_workers"] == 0
    assert 0 < workers["max_workers"] <= cluster["max_workers"]
    assert 0 < cluster["idle_timeout_minutes"] <= 60


def test_nobody_outside_reaches_ray(cluster: Config) -> None:
    starts = cluster["head_start_ray_commands"] + cluster["worker_start_ray_commands"]
    for command in starts:
        assert "RAY_AUTH_MODE=token" in command
    assert "~/.ray/auth_token" in cluster["file_mounts"]
    (head_start,) = [c for c in cluster["head_start_ray_commands"] if "ray start" in c]
    assert re.findall(r"--dashboard-host=(\S+)", head_start) == ["127.0.0.1"]
    assert "0.0.0.0" not in " ".join(starts)
    assert "SecurityGroupIds" not in str(cluster["available_node_types"])


def test_every_node_sets_up_the_same_checkout(cluster: Config) -> None:
    # prepare_config has put the common commands before those of the head and of the workers.
    for kind in ("head_setup_commands", "worker_setup_commands"):
        commands = cluster[kind]
        (copies,) = [c for c in commands if c.endswith(" ~/fer-source/ ~/fer-platform/")]
        (sets_up,) = [c for c in commands if c == "cd ~/fer-platform && make setup"]
        assert commands.index(copies) < commands.index(sets_up)
    assert "~/fer-source" in cluster["file_mounts"]


def test_what_is_mounted_is_the_checkout_without_data_runs_and_libraries(
    root: Path, cluster: Config, tmp_path: Path
) -> None:
    """`ray up` hashes all that is mounted, so `make cluster-source` must copy files of ours alone."""
    for name in ("Makefile", ".gitignore", "ray_cluster.yaml", "requirements.lock"):
        shutil.copy(root / name, tmp_path)
    for name in (
        ".venv/pip.py",
        "data/raw/a.png",
        "runs/x/record.json",
        "platform/errors.py",
        "platform/a.pyc",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["make", "-s", "cluster-source"], cwd=tmp_path, check=True, stdin=subprocess.DEVNULL)
    mounted = tmp_path / cluster["file_mounts"]["~/fer-source"]
    files = {str(path.relative_to(mounted)) for path in mounted.rglob("*") if path.is_file()}
    assert files == {"Makefile", ".gitignore", "ray_cluster.yaml", "requirements.lock", "platform/errors.py"}


def test_the_copy_for_the_nodes_says_of_which_commit_it_is(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "Makefile", tmp_path)
    shutil.copy(root / ".gitignore", tmp_path)
    source = tmp_path / "platform" / "a.py"
    source.parent.mkdir()
    source.write_text("")
    me = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "a"]):
        subprocess.run([*me, *words], cwd=tmp_path, check=True)
    make = ["make", "-s", "cluster-source"]
    subprocess.run(make, cwd=tmp_path, check=True, stdin=subprocess.DEVNULL)
    copied = read_checkout(tmp_path / "build" / "cluster-source")
    assert copied == read_checkout(tmp_path)
    assert copied.clean is True
    source.write_text("x = 1")
    subprocess.run(make, cwd=tmp_path, check=True, stdin=subprocess.DEVNULL)
    assert read_checkout(tmp_path / "build" / "cluster-source").clean is False


def test_the_client_named_in_the_file_is_the_locked_ray(root: Path) -> None:
    named = re.findall(r"ray\[default\]==([\d.]+)", (root / "ray_cluster.yaml").read_text())
    locked = re.findall(r"^ray==([\d.]+)", (root / "requirements.lock").read_text(), flags=re.MULTILINE)
    locked += re.findall(r"^ray\[[^]]*\]==([\d.]+)", (root / "requirements.lock").read_text(), flags=re.M)
    assert named
    assert set(named) == set(locked)
