"""docs/cluster.md: its commands are whole, its flags exist, and it shows what the cluster files show."""

from __future__ import annotations

import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from tests.cluster_files import NAMES, shown_commands

SHOWN = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs/cluster.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def commands(text: str) -> list[str]:
    """Every line of every box."""
    return [line.strip() for box in SHOWN.findall(text) for line in box.splitlines()]


def searches(commands: list[str]) -> list[list[str]]:
    """The flags of every search, wherever it stands: alone, after sbatch, or in the quotes of `ray exec`."""
    found = []
    for command in commands:
        for part in re.findall(r"(?:platform\.tune|clusters/slurm\.sh) (--[^'|\"]*)", command):
            found.append(shlex.split(part.partition(" 2>")[0]))
    return found


def test_every_command_is_one_line_that_a_shell_reads_whole(commands: list[str]) -> None:
    assert len(commands) > 40
    for command in commands:
        done = subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert not done.stderr


def test_every_search_has_the_papers_preset_and_the_clusters_gpus(
    commands: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = searches(commands)
    assert len(found) == 4
    tune = import_module("platform.tune").main
    for flags in found:
        assert tune([*flags, "--print-config"]) == 0
        settings = yaml.safe_load(capsys.readouterr().out)
        assert settings["dataset"] == "mmi"
        assert (settings["gpus_per_run"], settings["stage2_constant_epochs"]) == ("auto", 100)


def test_every_command_of_ours_has_flags_that_it_knows(commands: list[str]) -> None:
    ours = [shlex.split(command)[1:] for command in commands if command.startswith("./fer ")]
    assert {words[0] for words in ours} == {"doctor", "prepare", "table", "runs"}
    for name, *words in ours:
        module = import_module("platform.cli.runs_command" if name == "runs" else f"platform.{name}")
        made = module.parser() if name == "table" else module.make_parser()
        made.parse_args(words)


def test_the_steps_for_aws_are_those_of_its_file(root: Path, commands: list[str]) -> None:
    in_file = shown_commands((root / NAMES[0]).read_text(encoding="utf-8"))
    missing = [command for command in in_file if command not in commands]
    assert [command.split()[0] for command in missing] == ["python3"], "the page installs awscli too"


def test_every_file_that_is_named_exists(root: Path, text: str) -> None:
    named = set(re.findall(r"(?:clusters/[\w.]+|ray_cluster\.(?:\w+\.)?yaml)", text))
    assert len(named) >= 8
    assert not [name for name in named if not (root / name.rstrip(".")).exists()]
    assert {path.name for path in (root / "clusters").iterdir()} - {"set_up_node.sh"} == {
        name.removeprefix("clusters/") for name in named if name.startswith("clusters/")
    }


def test_every_way_is_linked_from_the_table_and_told_what_was_tried(text: str) -> None:
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    anchors = {heading.lower().replace(",", "").replace(" ", "-") for heading in headings}
    linked = set(re.findall(r"\]\(#([\w-]+)\)", text))
    assert linked <= anchors
    assert {"aws", "three-machines-of-your-own", "slurm", "kubernetes"} <= linked
    tried = text.partition("## What was tried")[2]
    for way in ("machines of your own", "AWS", "Slurm", "Kubernetes"):
        assert f"| {way} |" in tried
