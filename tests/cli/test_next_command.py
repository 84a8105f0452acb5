"""Every command that is printed or documented is one: its own parser takes it, and what is cheap is run."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from datasets.catalogue import describe
from datasets.prepared.prepare_command import prepare_command
from datasets.prepared.store import PreparedStore
from platform.__main__ import COMMANDS
from platform.cli.next_command import again_at, preparation_command, training_command
from platform.cli.parser import Parser
from platform.cli.prepare_report import inspection_lines, next_lines
from platform.errors import UserError
from platform.host.launcher import command_words
from platform.models import plugins
from tests.raw_trees import write_ckplus
from tests.tiny_faces import CLASSES, prepare_tiny, records

EXAMPLE = r"^(?:    |  |> |next: )?((?:python -m platform\.|\./fer )\w+ .*)$"


class Parsed(Exception):
    """The parser took the arguments."""


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has the parser of a printed command parse it, and nothing else happen."""
    real = Parser.parse_args

    def parse_and_stop(self: Parser, *arguments: object) -> None:
        real(self, *arguments)
        raise Parsed

    def parse(command: str) -> None:
        module, argv = split(command)
        with pytest.raises(Parsed):
            main_of(module)(argv)

    monkeypatch.setattr(Parser, "parse_args", parse_and_stop)
    return parse


def split(command: str) -> tuple[str, list[str]]:
    """The module below `platform` and its arguments."""
    first, *words = shlex.split(command)
    if Path(first).name == "fer":
        assert words[0] in COMMANDS
        return words[0], words[1:]
    python, option, module, *argv = first, *words
    assert (Path(python).name.startswith("python"), option) == (True, "-m"), command
    assert module.removeprefix("platform.") in COMMANDS
    return module.removeprefix("platform."), argv


def main_of(command: str) -> Callable[[list[str]], int | None]:
    """The function behind a command, which is a file, or a package with a `__main__.py`."""
    module = importlib.import_module(f"platform.{command}")
    if hasattr(module, "__path__"):
        module = importlib.import_module(f"platform.{command}.__main__")
    found: Callable[[list[str]], int | None] = module.main
    return found


def run(command: str) -> int | None:
    module, argv = split(command)
    status = main_of(module)(argv)
    return status


def test_every_example_of_help_and_docs_is_a_command(
    root: Path, parses: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The examples name methods' files that the reader has just written.
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})
    files = [root / "README.md", root / "ray_cluster.yaml", *(root / "docs").glob("*.md")]
    files += [*(root / "platform").glob("*.py"), *(root / "search_spaces").glob("*.py")]
    found = 0
    for path in files:
        text = re.sub(r"\\{1,2}\n\s+", "", path.read_text(encoding="utf-8"))
        for line in re.findall(EXAMPLE, text, re.MULTILINE):
            example = re.split(r"\s{2,}|\s# ", line)[0].rstrip("`.")
            example = re.sub(r"--method (\w+\.py)", rf"--method {root}/tests/data/methods/\1", example)
            if "..." not in example and "`" not in example:
                parses(example)
                found += 1
    assert found > 40


@dataclass(frozen=True, kw_only=True)
class Faces:
    """What `training_command` reads of a store."""

    dataset: str
    size_pixels: int
    subjects: np.ndarray
    roles: np.ndarray
    expressions: np.ndarray


def faces(subjects: int, *, size: int = 34, neutral: bool = True, classes: int = 3) -> Faces:
    made = [one for one in records(subjects) if neutral or one.role != "neutral"]
    made = [one for one in made if one.expression in ("neutral", *CLASSES[:classes])]
    return Faces(
        dataset="folder",
        size_pixels=size,
        subjects=np.array([one.subject_id for one in made]),
        roles=np.array([one.role for one in made]),
        expressions=np.array([one.expression for one in made]),
    )


@pytest.mark.parametrize(
    ("store", "module", "flags"),
    [
        (faces(20, size=320), "tune", "--preset paper"),
        (faces(20, size=52), "tune", "--preset quick"),
        (faces(20, size=100), "tune", "--preset quick --load-size-pixels 100 --image-size-pixels 92"),
        (faces(7), "tune", "--preset smoke --folds 7"),
        (faces(3), "crossval", "--preset smoke --folds 3"),
        (faces(12, neutral=False), "crossval", "--preset smoke --method cnn --baselines ''"),
    ],
)
def test_the_training_command_fits_the_faces(
    store: PreparedStore, module: str, flags: str, parses: Callable[[str], None]
) -> None:
    command = training_command(store, Path("my data"))
    assert command == f"{shlex.join(command_words(module))} --dataset folder --data-root 'my data' {flags}"
    parses(command)


def test_one_subject_gives_no_command_but_what_is_lacking() -> None:
    lines = next_lines(faces(1), Path("data"), [])  # type: ignore[arg-type]
    assert lines[0].startswith("next:       add subjects: every training set must contain every class")


@pytest.mark.parametrize(
    ("subjects", "size", "without"),
    [(7, 41, ()), (3, 34, ()), (3, 100, ("neutral",)), (2, 18, ())],
)
def test_the_training_command_plans_as_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], subjects: int, size: int, without: tuple[str, ...]
) -> None:
    store = prepare_tiny(tmp_path / "my data", "folder", subjects, without=without, size=size)
    command = training_command(store, tmp_path / "my data")
    assert command is not None
    assert not run(f"{command} --dry-run --runs '{tmp_path}/my runs'")
    assert "dry run: nothing was run" in capsys.readouterr().out


def test_what_inspection_proposes_prepares_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a bad label, in a folder whose name needs quotes, at the size and place that were asked for."""
    tree = write_ckplus(
        tmp_path / "my copy", {"S005_001": "disgust", "S010_002": "surprise", "S011_001": "anger"}
    )
    next((tree / "Emotion/S011/001").iterdir()).write_text("9.0")
    further = ["--size", "34", "--data-root", str(tmp_path / "my data")]
    proposed = inspection_lines(tree, None, further)[-1].removeprefix("next:").strip()
    assert not run(f"{proposed} --workers 1")
    out = capsys.readouterr().out
    assert "left out:   1 items" in out
    assert (tmp_path / "my data" / "prepared" / "ckplus-34" / "manifest.json").exists()


def test_landmarks_are_asked_for_where_frames_have_none(tmp_path: Path) -> None:
    made = records(1)
    folder = describe("folder")
    assert "--landmarks detect" in preparation_command(folder, tmp_path, made)
    (tmp_path / "landmarks.csv").touch()
    assert f"--landmarks {tmp_path}/landmarks.csv" in preparation_command(folder, tmp_path, made)
    assert "--aligned" in preparation_command(describe("fmpn_release"), tmp_path, made)
    assert "--landmarks" not in preparation_command(describe("ckplus"), tmp_path)


@pytest.mark.parametrize("layout", ["ckplus", "mmi"])
def test_what_synthesize_proposes_prepares_its_faces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "drawn faces"
    drawn = f"python -m platform.synthesize --layout {layout} --subjects 1 --frames 4 --size 64 --workers 1"
    run(f"{drawn} --out '{out}'")
    proposed = re.findall(r"^next: +(.*)$", capsys.readouterr().out, re.MULTILINE)[-1]
    monkeypatch.chdir(tmp_path)
    assert not run(f"{proposed} --workers 1 --size 34")
    assert (tmp_path / "data" / "prepared" / f"{layout}-34").is_dir()


def test_smaller_faces_are_prepared_by_the_same_command() -> None:
    argv = ["--dataset", "mmi", "--size", "320", "--source", "my clips", "--landmarks", "l.csv", "--size=100"]
    assert split(again_at(argv, 52))[1] == [
        "--dataset", "mmi", "--source", "my clips", "--landmarks", "l.csv", "--size", "52",
    ]  # fmt: skip


def test_the_remedies_of_a_store_are_commands(tmp_path: Path, parses: Callable[[str], None]) -> None:
    root = tmp_path / "my data"
    parses(prepare_command(root, "mmi", 52))
    for folder in (root / "prepared" / "mmi-52", root / "prepared" / "synthetic-52"):
        with pytest.raises(UserError, match="there is no prepared store") as caught:
            PreparedStore.open(folder)
        command = str(caught.value).partition("with ")[2].rstrip(".")
        parses(command)
        assert str(root) in shlex.split(command)


def test_the_remedy_for_an_empty_runs_folder_is_a_command(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        run(f"python -m platform.table --runs '{tmp_path / 'my runs'}'")
    proposed = str(caught.value).split("`")[1]
    _, argv = split(proposed)
    assert argv[-2:] == ["--runs", str(tmp_path / "my runs")]
