"""docs/extending.md: its code blocks, put where the text says and run."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path

import optuna
import pytest

import search_spaces
from platform.config.configuration import Configuration, replace
from platform.search.definition import definition_of_space


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
    """What `python -m platform.NAME ...` prints, run in this process."""
    words = shlex.split(line)
    assert words[:2] == ["python", "-m"]
    assert importlib.import_module(words[2]).main(words[3:]) in (None, 0)
    return capsys.readouterr().out


def test_a_search_space(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = Section(text, "A search space")
    source = section.file("search_spaces/smoothing.py")
    monkeypatch.setattr(search_spaces, "__path__", [*search_spaces.__path__, str(tmp_path)])
    (tmp_path / "smoothing.py").write_text(source, encoding="utf-8")
    importlib.invalidate_caches()
    base = Configuration(method="cnn")
    definition = definition_of_space("smoothing", base)
    assert definition.first == ({"label_smoothing": 0.0},)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    made = [replace(base, **definition.suggest(study.ask())) for _ in range(50)]
    assert {one.class_weights for one in made} == {"none", "balanced"}
    assert all(one.class_weights == "none" for one in made if one.label_smoothing == 0)
    (command,) = section.blocks("sh")
    header = re.findall(r"^python -m .*$", source, re.MULTILINE)
    assert command.startswith(header[0])
    assert "smoothing" in run_command(command, capsys)
