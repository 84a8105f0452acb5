"""Augmentation by transforms from the flag to a trained fold run: identity, records, two epochs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from datasets.augmentation.content import STRONG, augmentation_setting, canonical_content
from platform.cli.flags import add_settings, resolve
from platform.cli.parser import Parser
from platform.config.configuration import Configuration, Plan, replace
from platform.config.settings_file import show
from platform.errors import UserError
from platform.runs.execute import execute
from platform.runs.fold_tasks import final_tasks, plan_data
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from tests.tiny_faces import prepare_tiny, tiny_configuration

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

PLAN = Plan(folds=2, rounds=(1, 1), selection_rule="paper")
MINE = "- Affine: {rotate: [-8, 8], p: 1}\n- RandomGamma\n"


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=4)
    return root


def task(data_root: Path, configuration: Configuration) -> FoldTask:
    planned = plan_data(data_root, "synthetic", configuration, PLAN, search=False)
    return final_tasks(configuration, planned, Machine())[0]


def parsed(*argv: str) -> argparse.Namespace:
    parser = Parser(prog="program")
    add_settings(parser, argv)
    return parser.parse_args(list(argv))


def from_file(folder: Path, text: str, name: str = "mine.yaml") -> Configuration:
    path = folder / name
    path.write_text(text)
    return resolve(parsed("--preset", "smoke", "--augmentation", str(path)))[0]


def test_the_content_of_the_file_is_the_setting(tmp_path: Path) -> None:
    configuration = from_file(tmp_path, MINE)
    assert json.loads(configuration.augmentation) == [
        {"Affine": {"rotate": [-8, 8], "p": 1}}, "RandomGamma",
    ]  # fmt: skip
    assert str(tmp_path) not in show(configuration, PLAN)


def test_identities_follow_the_content_not_the_file(data_root: Path, tmp_path: Path) -> None:
    base = tiny_configuration()
    same, other = tmp_path / "same.yml", tmp_path / "other.yaml"
    same.write_text("- Affine: {p: 1.0, rotate: [-8.0, 8.0]}  # the same, written otherwise\n- RandomGamma\n")
    other.write_text(MINE.replace("8", "9"))
    settings = [from_file(tmp_path, MINE).augmentation, *map(augmentation_setting, map(str, (same, other)))]
    runs = [
        task(data_root, replace(base, augmentation=setting)) for setting in (*settings, "strong", "paper")
    ]
    fold_runs = [run.identity for run in runs]
    stages = [run.artifacts["stage1"].identity for run in runs if "stage1" in run.artifacts]
    for identities in (fold_runs, stages):
        assert identities[0] == identities[1]
        assert len(set(identities)) == 4


def test_stored_settings_are_read_back_and_a_list_may_stand_in_them(tmp_path: Path) -> None:
    configuration = from_file(tmp_path, MINE)
    stored = tmp_path / "config.yaml"
    stored.write_text(f"augmentation: {json.dumps(configuration.augmentation)}\n")
    inline = tmp_path / "inline.yaml"
    inline.write_text("augmentation:\n  - Affine: {rotate: [-8, 8], p: 1}\n  - RandomGamma\n")
    for path in (stored, inline):
        read, _ = resolve(parsed("--preset", "smoke", "--config", str(path)))
        assert read.augmentation == configuration.augmentation


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- Afine: {}\n", r"entry 1 \(Afine\).*did you mean Affine"),
        ("- Resize: {height: 20, width: 20}\n", r"must keep the image uint8 \[34, 34, 3\]"),
        ("Affine: {}\n", "must be a list"),
    ],
)
def test_a_bad_file_is_refused_before_anything_runs(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        from_file(tmp_path, text)


@pytest.mark.parametrize("augmentation", ["strong", canonical_content([{"Affine": {"rotate": [-8, 8]}}])])
def test_two_epochs_train_and_repeat_to_the_bit(augmentation: str, data_root: Path, tmp_path: Path) -> None:
    wanted = task(data_root, tiny_configuration(augmentation=augmentation))
    curves: list[Any] = []
    for name in ("first", "second"):
        runs = tmp_path / name
        for part in (wanted.artifacts["stage1"], wanted):
            manifest = execute(part, str(runs))
            assert manifest["status"] == "complete", manifest.get("traceback")
        store = ResultsStore(runs)
        curve = json.loads(store.read("fold_runs", wanted.identity, "curves.json"))["stage2"]
        assert len(curve) == 2
        curves.append([epoch["loss"] for epoch in curve])
        curves[-1].append(store.read("fold_runs", wanted.identity, "weights.safetensors"))
    assert curves[0] == curves[1]
    record = ResultsStore(tmp_path / "first").record("fold_runs", wanted.identity)
    assert record["config"]["augmentation"] == augmentation
    assert STRONG not in json.dumps(record)
