"""What a command prints before it runs: what departs from the preset, and everything with --verbose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from platform import crossval, reproduce, tune
from platform.errors import UserError
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
