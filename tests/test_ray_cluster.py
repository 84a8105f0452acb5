"""ray_cluster.yaml and ray_cluster.local.yaml against Ray's schema, and what our drivers count on."""

from __future__ import annotations

import copy
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from platform.doctor import make_parser
from platform.host.checkout import read_checkout
from platform.tune import main as tune
from tests.cluster_files import NAMES, filled, filled_text, shown_commands

Config = dict[str, Any]

RECORDER = """#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    words = [os.path.basename(sys.argv[0]), os.environ.get("RAY_AUTH_MODE"), *sys.argv[1:]]
    log.write(json.dumps(words) + "\\n")
"""
"""A command that writes down its words, and the mode that it was given."""


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Each of the two files."""
    return request.param


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
def cluster(root: Path, name: str, prepare: Callable[[Config], Config]) -> Config:
    """A file with Ray's defaults, as nodes are made from it."""
    return prepare(filled(root, name))


@pytest.fixture(scope="module")
def aws(root: Path, prepare: Callable[[Config], Config]) -> Config:
    """ray_cluster.yaml with Ray's defaults."""
    return prepare(filled(root))


def test_ray_accepts_the_file_and_keeps_what_it_says(aws: Config, root: Path) -> None:
    assert aws["max_workers"] == filled(root)["max_workers"] == 8  # not Ray's silent default of 2
    assert set(aws["available_node_types"]) == {"head", "gpu_worker", "gpu_worker_on_demand"}


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
    root: Path, prepare: Callable[[Config], Config], change: Config, error: type[Exception]
) -> None:
    with pytest.raises(error):
        prepare(filled(root) | change)


def test_fold_runs_are_kept_off_the_head(aws: Config, root: Path) -> None:
    head = aws["available_node_types"][aws["head_node_type"]]
    assert head["resources"] == {"CPU": 0}
    assert head["max_workers"] == 0
    (start,) = [c for c in filled(root, NAMES[1])["head_start_ray_commands"] if "ray start" in c]
    assert "--num-cpus=0 --num-gpus=0" in start


def test_workers_come_and_go_within_the_clusters_limit(aws: Config) -> None:
    workers = aws["available_node_types"]["gpu_worker"]
    assert workers["min_workers"] == 0
    assert 0 < workers["max_workers"] <= aws["max_workers"]
    assert 0 < aws["idle_timeout_minutes"] <= 60


def test_one_number_switches_from_spot_to_on_demand(aws: Config) -> None:
    spot = copy.deepcopy(aws["available_node_types"]["gpu_worker"])
    on_demand = aws["available_node_types"]["gpu_worker_on_demand"]
    assert spot["node_config"].pop("InstanceMarketOptions") == {"MarketType": "spot"}
    assert spot["node_config"] == on_demand["node_config"]
    assert (spot.pop("max_workers"), on_demand["max_workers"]) == (8, 0)


def test_the_autoscaler_of_machines_of_ones_own_starts_all_of_them(root: Path) -> None:
    text = (root / NAMES[1]).read_text(encoding="utf-8")
    (start,) = [c for c in yaml.safe_load(text)["head_start_ray_commands"] if "ray start" in c]
    assert "RAY_UP_enable_autoscaler_v2=0" in start
    assert any("RAY_UP_enable_autoscaler_v2=0" in command for command in shown_commands(text))


def test_nobody_outside_reaches_ray(cluster: Config) -> None:
    starts = cluster["head_start_ray_commands"] + cluster["worker_start_ray_commands"]
    for command in starts:
        assert "RAY_AUTH_MODE=token" in command
    assert "~/.ray/auth_token" in cluster["file_mounts"]
    (head_start,) = [c for c in cluster["head_start_ray_commands"] if "ray start" in c]
    assert re.findall(r"--dashboard-host=(\S+)", head_start) == ["127.0.0.1"]
    assert "0.0.0.0" not in " ".join(starts)


def test_nothing_of_aws_is_left_to_rays_open_defaults(aws: Config) -> None:
    """Without these, Ray opens ssh to the world and gives the head full access to EC2 and S3."""
    types = aws["available_node_types"]
    assert all(node["node_config"]["SecurityGroupIds"] for node in types.values())
    with_role = [name for name, node in types.items() if "IamInstanceProfile" in node["node_config"]]
    assert with_role == [aws["head_node_type"]]


def test_every_node_sets_up_the_same_checkout_and_sees_the_shared_folder(cluster: Config) -> None:
    # prepare_config has put the common commands before those of the head and of the workers.
    for kind in ("head_setup_commands", "worker_setup_commands"):
        commands = cluster[kind]
        assert commands[0] == "bash ~/fer-source/clusters/set_up_node.sh"
        assert commands[1].startswith("mountpoint -q /mnt/fer || (")
    assert "~/fer-source" in cluster["file_mounts"]


# --- the commands that the files show ----------------------------------------------------------------


@pytest.fixture(scope="module")
def pasted(root: Path, name: str, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """All shown commands of a file pasted into one shell; what was called: name, RAY_AUTH_MODE, words."""
    place = Path(tmp_path_factory.mktemp("pasted"))
    log, folder, home = place / "log", place / "bin", place / "home"
    for path in ("bin/ray", "bin/make", "bin/python3", "checkout/fer", "home/ray-client/bin/pip"):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(RECORDER.format(python=sys.executable, log=str(log)))
        (place / path).chmod(0o755)
    script = "\n".join(shown_commands(filled_text(root, name)))
    for command in script.splitlines():
        subprocess.run(["bash", "-n"], input=command, text=True, check=True)
    environment = {"HOME": str(home), "PATH": f"{folder}:/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-e"],
        input=script,
        text=True,
        cwd=place / "checkout",
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_every_command_of_ray_has_the_token_and_flags_that_ray_knows(
    pasted: list[list[str]], name: str
) -> None:
    from ray.scripts.scripts import cli

    of_ray = [(mode, words) for command, mode, *words in pasted if command == "ray"]
    assert [words[0] for _, words in of_ray] == [
        "get-auth-token", "up", "rsync-up", "exec", "exec", "dashboard", "exec", "rsync-down", "down",
    ]  # fmt: skip
    for mode, (command, *words) in of_ray:
        assert mode == "token"
        made = cli.get_command(None, command).make_context(command, list(words))  # type: ignore[arg-type]
        assert made.params.get("cluster_config_file", name) == name


def test_the_file_is_checked_and_the_checkout_copied_before_nodes_start(
    pasted: list[list[str]], name: str, root: Path
) -> None:
    calls = [[command, *words] for command, _, *words in pasted]
    doctor = calls.index(["fer", "doctor", "--cluster", name])
    make = calls.index(["make", "cluster-source"])
    assert max(doctor, make) < calls.index(["ray", "up", name])
    assert str(make_parser().parse_args(calls[doctor][2:]).cluster) == name
    assert "cluster-source:" in (root / "Makefile").read_text(encoding="utf-8")


def test_the_driver_searches_with_the_papers_preset_on_the_clusters_gpus(
    pasted: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The words between the quotes are run on the head: here with a Python that writes down what it gets."""
    (shown,) = [words for command, _, *words in pasted if command == "ray" and "--tmux" in words]
    log = tmp_path / "driver"
    python = tmp_path / "home/fer-platform/.venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(RECORDER.format(python=sys.executable, log=str(log)))
    python.chmod(0o755)
    (tmp_path / "mnt").mkdir()
    inner = shown[-1].replace("/mnt/fer", str(tmp_path / "mnt"))
    environment = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-c", inner], env=environment, check=True)
    assert [path.name for path in (tmp_path / "mnt").iterdir()] == ["tune-mmi-paper.log"]
    _, mode, *words = json.loads(log.read_text())
    assert mode == "token"
    assert words[:2] == ["-m", "platform.tune"]
    flags = shlex.split(shlex.join(words[2:]))
    assert flags[flags.index("--address") + 1] == "auto"
    assert tune([*flags, "--print-config"]) == 0
    settings = yaml.safe_load(capsys.readouterr().out)
    assert settings["dataset"] == "mmi"
    assert settings["stage2_constant_epochs"] == 100
    assert settings["gpus_per_run"] == "auto"


# --- what is copied to the nodes ----------------------------------------------------------------------


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
