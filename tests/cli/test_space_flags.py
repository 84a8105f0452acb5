"""`tune --fix` and `tune --enqueue`, up to the point where something would run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from platform import tune
from platform.distributed.cluster import Slots
from platform.errors import UserError
from tests.planned_search import SMALL, planned_search
from tests.tiny_faces import prepare_tiny

OWN = {
    "backbone": "resnet18", "lambda_mask": 5.0, "classifier_learning_rate": 2e-3,
    "generator_learning_rate": 1e-4,
}  # fmt: skip


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for dataset in ("synthetic", "synthetic_wild"):
        prepare_tiny(folder, dataset, subjects=10)
    return folder


def test_both_are_stored_as_settings_by_content(data_root: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump([OWN]))
    flags = ["--fix", "lambda_mask=5", "--fix", "backbone=resnet18", "--enqueue", str(file)]
    plan = planned_search(data_root, tmp_path / "runs", *flags).plan
    assert plan.fixed == ("backbone=resnet18", "lambda_mask=5")
    assert json.loads(plan.enqueued) == [OWN]
    assert str(tmp_path) not in plan.enqueued


def test_a_dry_run_shows_them_and_its_settings_can_be_given_back(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slots = Slots(cpus=2, gpus=0, fold_runs=2)
    for module in ("distributed.cluster", "cli.forecast"):
        monkeypatch.setattr(f"platform.{module}.local_slots", lambda *given, **more: slots)
    (tmp_path / "mine.json").write_text(json.dumps([OWN]))
    places = ["--runs", str(tmp_path / "runs"), "--data-root", str(data_root), "--dry-run"]
    flags = ["--fix", "lambda_mask=5", "--enqueue", str(tmp_path / "mine.json")]
    assert tune.main([*SMALL, *flags, *places]) == 0
    shown = "\n".join(x for x in capsys.readouterr().out.splitlines() if not x.startswith("#"))
    assert yaml.safe_load(shown)["fixed"] == ["lambda_mask=5"]
    (tmp_path / "again.yaml").write_text(shown)
    assert tune.main(["--config", str(tmp_path / "again.yaml"), *places]) == 0
    again = "\n".join(x for x in capsys.readouterr().out.splitlines() if not x.startswith("#"))
    assert yaml.safe_load(again) == yaml.safe_load(shown)


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--fix", "lamda_mask=1"], ["unknown parameter in --fix 'lamda_mask'; did you mean 'lambda_mask'?"]),
        (["--fix", "generator_width=1"], ["not searched by the space quick", "--generator-width VALUE"]),
        (["--fix", "lambda_mask=-1"], ["--fix lambda_mask=-1 produces", "lambda_mask must be >= 0"]),
        (["--enqueue", "{folder}/none.yaml"], ["cannot read", "none.yaml", "--enqueue"]),
        (
            ["--enqueue", "{folder}/bad.yaml"],
            ["entry 2 of", "bad.yaml", "must be 0.1 to 10, but is 99"],
        ),
        (["--freeze-generator", "yes"], ["freeze_generator", "mask transfer", "--transfer-to none"]),
    ],
)
def test_bad_input_ends_before_anything_is_written(
    flags: list[str], parts: list[str], data_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump([OWN, {**OWN, "lambda_mask": 99}]))
    with pytest.raises(UserError) as refusal:
        planned_search(data_root, tmp_path / "runs", *(flag.format(folder=tmp_path) for flag in flags))
    for part in parts:
        assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "runs").exists()


def test_a_file_of_transforms_for_stage_2_becomes_its_content(data_root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("- HorizontalFlip: {p: 0.5}\n")
    flags = ["--stage2-augmentation", str(tmp_path / "mine.yaml")]
    configuration = planned_search(data_root, tmp_path / "runs", *flags).configuration
    assert str(tmp_path) not in configuration.stage2_augmentation
    assert "HorizontalFlip" in configuration.stage2_augmentation
