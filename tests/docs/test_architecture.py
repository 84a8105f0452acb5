"""docs/architecture.md: its layers are the guarded ones, its record is one that the code makes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.dom import minidom

import pytest

from datasets.folds.rules import paper_folds
from platform.runs.planned_tasks import Machine, fold_task
from tests.test_architecture import LAYERS
from tests.tiny_faces import fake_data, subject_names, tiny_configuration


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs/architecture.md").read_text(encoding="utf-8")


def test_the_layers_are_those_that_the_rules_guard(text: str) -> None:
    section = text.partition("## Which way imports go")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)) == LAYERS


def test_the_record_has_the_keys_of_a_fold_runs_record_and_the_right_count_of_settings(text: str) -> None:
    shown: dict[str, Any] = json.loads(text.partition("```json\n")[2].partition("```")[0])
    task = fold_task(
        tiny_configuration(),
        fake_data(),
        paper_folds(subject_names(6), 3).folds[1],
        fold_rule="paper",
        part=None,
        validation_subjects=None,
        machine=Machine(),
        images_of_subject=dict.fromkeys(subject_names(6), 6),
    )
    assert shown.keys() == task.record.keys()
    assert shown["data"].keys() == task.record["data"].keys()
    assert shown["fold"].keys() == task.record["fold"].keys()
    assert shown["config"].keys() < task.record["config"].keys()
    assert f"`config` has {len(task.record['config'])} fields" in text
    assert shown["result_version"] == task.record["result_version"]


def test_the_drawing_is_well_formed_and_names_folders_that_exist(root: Path) -> None:
    drawing = minidom.parse(str(root / "docs/figures/architecture.svg"))
    texts = [node.firstChild.data for node in drawing.getElementsByTagName("text")]
    named = {part for text in texts for part in re.findall(r"(?:platform|datasets)/[\w/.]*", text)}
    assert len(named) > 10
    assert not [name for name in named if "NAME" not in name and not (root / name).exists()]
