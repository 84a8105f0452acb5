"""What a command prints before it runs: what departs from the preset, and everything with --verbose."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform import crossval, reproduce, transfer, tune
from platform.config.presets import preset_names
from platform.errors import UserError
from platform.models import own_method_names
from tests.tiny_faces import SIZE, prepare_tiny

SMALL = (
    "--preset", "smoke", "--load-size-pixels", str(SIZE), "--image-size-pixels", "32", "--folds", "3",
)  # fmt: skip


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in ("synthetic", "synthetic_mmi"):
        prepare_tiny(root, name, subjects=9)
    prepare_tiny(root, "synthetic_wild", subjects=9, without=("neutral",))
    return root


@pytest.fixture
def printed(data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """What a command prints until its fold runs would start."""

    def stop(*_: object, **__: object) -> None:
        raise UserError("the runs start here")

    monkeypatch.setattr("platform.distributed.experiment.run_experiment", stop)

    def started(command: Any, *flags: str) -> str:
        argv = [*SMALL, *flags, "--data-root", str(data_root), "--runs", str(tmp_path / "runs")]
        with pytest.raises(UserError, match="the runs start here"):
            command.main(argv)
        return str(capsys.readouterr().out)

    return started


def settings_in(text: str) -> dict[str, Any]:
    shown = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return yaml.safe_load(shown) or {}


def test_what_departs_from_the_preset_is_one_line_and_nothing_else_of_the_settings(printed: Any) -> None:
    out = printed(crossval, "--lambda-mask", "3", "--baselines", "cnn")
    assert settings_in(out) == {}
    assert "# preset smoke, changed: folds 3, baselines cnn, lambda_mask 3\n" in out
    assert "config.yaml (--verbose prints them)" in out


def test_a_preset_as_it_is_has_no_changes_though_the_command_decides_some(printed: Any) -> None:
    assert "# preset smoke, changed: folds 3\n" in printed(tune)
    assert "# preset smoke, changed: folds 3, transfer_to none\n" in printed(tune, "--transfer-to", "none")


def test_verbose_prints_all_settings(printed: Any) -> None:
    settings = settings_in(printed(crossval, "--verbose", "--lambda-mask", "3"))
    assert (settings["lambda_mask"], settings["folds"]) == (3.0, 3)
    assert "generator_width" in settings


def test_planned_rows_are_counted_and_listed_with_verbose(printed: Any) -> None:
    few = ("--no-controls", "--lambdas", "1")
    brief, full = printed(reproduce, *few), printed(reproduce, *few, "--verbose")
    assert "# row:" not in brief
    rows = [line for line in full.splitlines() if line.startswith("# row:")]
    assert f"# {len(rows)} rows on synthetic, synthetic_mmi, synthetic_wild: " in brief
    assert not [row for row in rows if "seed" in row]
    of_seeds = printed(reproduce, *few, "--verbose", "--seeds", "1,2")
    again = [line for line in of_seeds.splitlines() if line.startswith("# row:")]
    assert [row.replace(" for each of 2 seeds (1, 2)", "") for row in again] == rows
    assert "# training: every row with 2 seeds (1, 2)\n" in of_seeds


def config_of(command: Any, capsys: Any, *argv: str) -> str:
    """What the command prints with --print-config."""
    assert command.main([*argv, "--print-config"]) == 0
    return str(capsys.readouterr().out)


EVERY = [(method, name) for method in own_method_names() for name in preset_names(method)]


@pytest.mark.parametrize("command", [tune, crossval], ids=["tune", "crossval"])
@pytest.mark.parametrize(("method", "name"), EVERY)
def test_printed_settings_are_read_back_as_the_same(
    command: Any, method: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = config_of(command, capsys, "--preset", name, "--method", method)
    file = tmp_path / "settings.yaml"
    file.write_text(printed)
    assert yaml.safe_load(printed)["method"] == method
    assert config_of(command, capsys, "--config", str(file)) == printed


@pytest.mark.parametrize(
    ("command", "own"),
    [(transfer, ["--source", "synthetic"]), (reproduce, ["--lambdas", "1"])],
    ids=["transfer", "reproduce"],
)
def test_flags_that_are_no_settings_are_a_comment(
    command: Any, own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = config_of(command, capsys, "--preset", "smoke", "--seed", "3", *own)
    assert f"given were: --preset smoke --seed 3 {' '.join(own)}\n" in printed
    file = tmp_path / "settings.yaml"
    file.write_text(printed)
    again = config_of(command, capsys, "--config", str(file), *own)
    assert yaml.safe_load(again) == yaml.safe_load(printed)
    assert not {"dataset", "fold_rule", "trials"} & yaml.safe_load(printed).keys()


def test_a_list_of_seeds_and_a_number_are_printed_as_the_same_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = [
        yaml.safe_load(config_of(reproduce, capsys, "--preset", "smoke", *flags))
        for flags in (("--seeds", "0,1,2"), ("--seeds", "3"), ("--seeds", "3", "--seed", "0"))
    ]
    assert shown[0] == shown[1] == shown[2]
    assert (shown[0]["seed"], shown[0]["seeds"]) == (0, 3)
    file = tmp_path / "seeds.yaml"
    file.write_text("preset: smoke\nseeds: 4\n")
    for command in (tune, crossval, transfer, reproduce):
        assert yaml.safe_load(config_of(command, capsys, "--config", str(file)))["seeds"] == 4
    one = yaml.safe_load(config_of(crossval, capsys, "--preset", "paper", "--seeds", "1"))
    assert one["seeds"] == 1, "another than the preset's is said"


def test_settings_that_differ_in_every_way_are_read_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    methods = tmp_path / "methods.yaml"
    methods.write_text("methods: {cnn: {backbone: vgg16_bn}}\n")
    argv = (
        "--config", str(methods), "--dataset", "synthetic_mmi", "--folds", "4", "--rounds", "2,2",
        "--lambda-mask", "3e-5", "--set", "lambda_mask=1.0", "--tune-baselines", "2", "--sampler", "random",
    )  # fmt: skip
    printed = config_of(tune, capsys, *argv)
    file = tmp_path / "settings.yaml"
    file.write_text(printed)
    assert config_of(tune, capsys, "--config", str(file)) == printed
    assert yaml.safe_load(printed)["methods"] == {"cnn": {"backbone": "vgg16_bn"}}


def test_printing_settings_starts_nothing_and_imports_neither_ray_nor_torch(
    root: Path, tmp_path: Path
) -> None:
    code = """
import sys
from platform import tune
assert tune.main(["--print-config", "--runs", sys.argv[1], "--data-root", sys.argv[1]]) == 0
assert not {"ray", "torch"} & set(sys.modules)
"""
    place = tmp_path / "absent"
    command = [sys.executable, "-c", code, str(place)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "preset: quick" in done.stdout
    assert not place.exists()
