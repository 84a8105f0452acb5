"""docs/extending.md: its code blocks, put where the text says and run."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import optuna
import pytest
import torch
from PIL import Image

import datasets
import search_spaces
from datasets import catalogue
from datasets.prepared.store import open_prepared
from datasets.records import EXPRESSIONS
from platform.aggregation.scores import Scores
from platform.config.configuration import configuration_of, replace
from platform.errors import UserError
from platform.evaluation import metrics, row_metrics
from platform.models import plugins
from platform.models.networks.backbone_nets import build_backbone
from platform.models.networks.backbones import BACKBONES, Backbone
from platform.search.definition import definition_of_space
from platform.tables import columns
from platform.tables.formatting import percent
from tests.fake_runs import demo_experiment
from tests.tiny_faces import noise


class Section:
    """One section of the document, with its code blocks."""

    def __init__(self, text: str, title: str) -> None:
        found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert found, f"docs/extending.md has no section {title!r}"
        self.text = found[1]

    def blocks(self, language: str) -> list[str]:
        """The code blocks in that language, in order."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    def file(self, name: str) -> str:
        """The block that follows `NAME`: at the end of a paragraph."""
        found = re.search(rf"`{re.escape(name)}`:\n\n```python\n(.*?)^```$", self.text, re.M | re.DOTALL)
        assert found, f"no code block follows `{name}`:"
        return found[1]


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs/extending.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands write into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def run_command(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `./fer NAME ...` prints, run in this process."""
    words = shlex.split(line)
    assert words[0] == "./fer"
    assert importlib.import_module(f"platform.{words[1]}").main(words[2:]) in (None, 0)
    return capsys.readouterr().out


def test_a_search_space(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = Section(text, "A search space")
    source = section.file("search_spaces/smoothing.py")
    monkeypatch.setattr(search_spaces, "__path__", [*search_spaces.__path__, str(tmp_path)])
    (tmp_path / "smoothing.py").write_text(source, encoding="utf-8")
    importlib.invalidate_caches()
    base = configuration_of(method="cnn")
    definition = definition_of_space("smoothing", base)
    assert definition.first == ({"label_smoothing": 0.0},)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    made = [replace(base, **definition.suggest(study.ask())) for _ in range(50)]
    assert {one.class_weights for one in made} == {"none", "balanced"}
    assert all(one.class_weights == "none" for one in made if one.label_smoothing == 0)
    (command,) = section.blocks("sh")
    header = re.findall(r"^\./fer .*$", source, re.MULTILINE)
    assert command.startswith(header[0])
    assert "smoothing" in run_command(command, capsys)


def test_a_backbone(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = Section(text, "A backbone")
    (entry,) = section.blocks("python")
    (added,) = eval("{" + entry + "}", {"Backbone": Backbone}).items()
    monkeypatch.setitem(BACKBONES, *added)
    name, facts = added
    with torch.device("meta"):
        narrowed = build_backbone(name, 7, width=0.25, weights="none", transform_input=True)
    assert facts.narrows
    assert narrowed(torch.empty(2, 3, 34, 34, device="meta")).shape == (2, 7)
    assert any(one["backbone"] == name for one in definition_of_space("backbone", configuration_of()).first)
    (command,) = section.blocks("sh")
    assert name in run_command(command, capsys)


@pytest.mark.parametrize(
    ("title", "name"), [("A method with a net", "three_stages"), ("A method without a net", "pixel_svm")]
)
def test_a_method(
    text: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], title: str, name: str,
) -> None:  # fmt: skip
    """tests/distributed/test_own_methods.py searches and trains the same files."""
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})
    section = Section(text, title)
    source = section.file(f"{name}.py")
    assert source == (root / "tests/data/methods" / f"{name}.py").read_text(encoding="utf-8")
    (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    (command,) = section.blocks("sh")
    shown = run_command(command, capsys)
    assert "nothing was run" in shown
    assert f"method: {name}" in shown


def test_a_method_that_scores_sequences(
    text: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})
    section = Section(text, "A method that scores sequences")
    assert "`tests/data/methods/sequence_pairs.py`" in section.text
    (tmp_path / "sequence_pairs.py").write_bytes((root / "tests/data/methods/sequence_pairs.py").read_bytes())
    (command,) = section.blocks("sh")
    assert "140 sequences of 20 subjects" in run_command(command, capsys)


def test_a_data_set(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = Section(text, "A data set")
    code = tmp_path / "code"
    code.mkdir()
    (code / "jaffe.py").write_text(section.file("datasets/jaffe.py"), encoding="utf-8")
    monkeypatch.setattr(datasets, "__path__", [*datasets.__path__, str(code)])
    importlib.invalidate_caches()
    (added,) = eval("{" + section.blocks("python")[1] + "}").items()
    monkeypatch.setitem(catalogue.ADAPTERS, *added)
    photographs(tmp_path / "faces")
    inspect, prepare, crossval = section.blocks("sh")[0].splitlines()
    assert "JAFFE" in run_command(inspect, capsys)
    assert "JAFFE" in run_command(f"{prepare} --workers 1", capsys)
    store = open_prepared(Path("data"), "jaffe", 34)
    assert store.class_names == tuple(name for name in EXPRESSIONS if name not in ("contempt", "neutral"))
    assert Counter(store.roles.tolist()) == {"expressive": 3 * 6 * 2, "neutral": 3}
    assert "jaffe" in run_command(crossval, capsys)
    (tmp_path / "faces" / "KA.AN1.1 (1).tiff").touch()
    with pytest.raises(UserError, match=r"did you mean KA\.AN1\.1\.tiff"):
        run_command(f"{prepare} --workers 1", capsys)


def photographs(folder: Path) -> None:
    """Two photographs of seven expressions of three people, as JAFFE names them."""
    folder.mkdir()
    number = 0
    for subject in ("KA", "KL", "YM"):
        for code in ("AN", "DI", "FE", "HA", "NE", "SA", "SU"):
            for take in (1, 2):
                number += 1
                pixels = noise(f"{subject}{code}{take}", 48)
                Image.fromarray(pixels).convert("L").save(folder / f"{subject}.{code}{take}.{number}.tiff")


def test_a_metric(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    function, by_hand, entry = Section(text, "A metric").blocks("python")
    names = {**vars(metrics), **vars(row_metrics), "np": np}
    exec(function + by_hand, names)
    names["test_mean_precision_by_hand"]()
    (metric,) = eval(f"[{entry}]", names)
    monkeypatch.setattr(row_metrics, "METRICS", (*row_metrics.METRICS, metric))
    demo_experiment(tmp_path / "runs")
    (command,) = Section(text, "A metric").blocks("sh")
    shown = run_command(command, capsys)
    assert metric.heading in shown
    assert metric.definition in shown
    stored = json.loads(run_command(command.replace("markdown", "json"), capsys))
    for row in stored["sections"][0]["rows"]:
        precisions = [one["precision"] or 0.0 for one in row["classes"] if one["images"]]
        assert row[metric.key] == pytest.approx(sum(precisions) / len(precisions), abs=1e-6)


def test_a_column(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = Section(text, "A column")
    function, entry = section.blocks("python")
    names = {**vars(columns), "percent": percent, "Scores": Scores}
    exec(function, names)
    (column,) = eval(f"[{entry}]", names)
    monkeypatch.setattr(columns, "COLUMNS", (*columns.COLUMNS, column))
    demo_experiment(tmp_path / "runs")
    (command,) = section.blocks("sh")
    stored = json.loads(run_command(command, capsys))
    for row in stored["sections"][0]["rows"]:
        lowest = min(one["image_accuracy"] for one in row["folds"])
        assert row["lowest_fold_image_accuracy"] == pytest.approx(lowest, abs=1e-6)
    shown = run_command(command.replace("json", "markdown"), capsys)
    assert column.heading in shown
    assert column.definition in shown
