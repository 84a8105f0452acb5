"""Several sets of the user's own, each with a name: prepared side by side, planned, merged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.catalogue import describe, file_name
from datasets.prepared.merged import merged_store
from datasets.prepared.merged_names import set_of_subject, sets_of
from datasets.prepared.store import open_prepared
from platform import crossval, prepare
from platform.errors import UserError
from tests.tiny_faces import noise


def write_tree(root: Path, classes: tuple[str, ...], subjects: int = 6) -> Path:
    """Three faces of each subject and class."""
    for subject in range(subjects):
        for name in classes:
            for number in range(3):
                path = root / f"P{subject}" / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(noise(f"{root.name}{path}{number}"[-60:], 40)).save(path)
    return root


def prepared(tmp_path: Path, dataset: str, source: Path, *flags: str) -> None:
    prepare.main(
        ["--dataset", dataset, "--source", str(source), "--aligned", "--size", "34", "--workers", "1",
         "--data-root", str(tmp_path / "data"), *flags]
    )  # fmt: skip


def test_sets_with_names_stand_side_by_side(tmp_path: Path) -> None:
    for name, classes in (("one", ("Happy", "sad")), ("two", ("happiness", "fear"))):
        flags = ["--map", "happy=happiness", "--map", "sad=sadness"] if name == "one" else []
        prepared(tmp_path, f"folder:{name}", write_tree(tmp_path / name, classes), *flags)
    one, two = (open_prepared(tmp_path / "data", f"folder:{name}", 34) for name in ("one", "two"))
    assert [store.folder.name for store in (one, two)] == ["folder-one-34", "folder-two-34"]
    assert one.class_names == ("happiness", "sadness")
    assert two.class_names == ("fear", "happiness")
    choices = json.loads((one.folder / "manifest.json").read_text())["choices"]
    assert choices["renamed"] == [["happy", "happiness"], ["sad", "sadness"]]
    assert set(json.loads((two.folder / "manifest.json").read_text())["choices"]) == {
        "frames", "whole_sequences", "per_class", "draw_seed",
    }  # fmt: skip
    merged = merged_store(tmp_path / "data", ["folder:one", "folder:two"], 34)
    assert sets_of(merged.dataset) == ("folder:one", "folder:two")
    assert {set_of_subject(one) for one in merged.subjects.tolist()} == {"folder:one", "folder:two"}
    assert np.array_equal(merged.images[0], one.images[0])


def test_classes_of_ones_own_are_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_tree(tmp_path / "pain", ("none", "mild", "strong"))
    prepared(tmp_path, "folder:pain", source, "--classes-from-folders")
    assert open_prepared(tmp_path / "data", "folder:pain", 34).class_names == ("mild", "none", "strong")
    capsys.readouterr()
    crossval.main(
        ["--dataset", "folder:pain", "--method", "cnn", "--baselines", "", "--preset", "smoke",
         "--folds", "3", "--data-root", str(tmp_path / "data"), "--runs", str(tmp_path / "runs"), "--dry-run",
         "--load-size-pixels", "34", "--image-size-pixels", "32"]
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert "crossval-folder-pain-smoke" in shown
    assert "3 folds (rule paper)" in shown


def test_a_name_stands_in_messages_and_file_names() -> None:
    assert describe("folder:jaffe").title == "jaffe"
    assert describe("folder:jaffe").name == "folder:jaffe"
    assert file_name("folder:jaffe+mmi") == "folder-jaffe+mmi"
    assert set_of_subject("folder:jaffe:S01") == "folder:jaffe"
    assert set_of_subject("folder:S01") == "folder"


@pytest.mark.parametrize("name", ["folder:", "folder:a/b", "folder:../x", "folder:a+b"])
def test_an_impossible_name_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="consists of letters, digits"):
        describe(name)


def test_other_sets_take_no_classes_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--classes-from-folders has no meaning for"):
        prepared(tmp_path, "mmi", tmp_path, "--classes-from-folders")
