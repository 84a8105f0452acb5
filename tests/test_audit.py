"""`python -m platform.audit`, run as users run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from datasets.folds.rules import paper_folds
from datasets.prepared.neutral_layer import write_neutral
from platform.audit import main
from platform.errors import UserError
from tests.fold_list_files import (
    CKPLUS_FRAMES,
    position_sliced_folds,
    released_folds,
    write_released,
    write_table,
)
from tests.tiny_faces import noise, prepare_tiny


def audit(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "platform.audit", *map(str, arguments)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_released_lists_pass(root: Path, tmp_path: Path) -> None:
    done = audit(root, write_released(tmp_path, released_folds()))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("fold   training: images")
    assert lines[1].split() == ["0", "903", "106", "0", "78", "12", "0"]
    assert "Images were not checked; pass --images DIR or --data STORE" in done.stdout
    assert lines[-1].startswith("disjoint and covering: each of the 981 images")


def test_a_leaking_list_ends_with_status_1_and_the_count(root: Path, tmp_path: Path) -> None:
    folds = position_sliced_folds("class")
    leaked = sum(any(other[:4] == name[:4] for other in train) for train, test in folds for name in test)
    done = audit(root, write_released(tmp_path / "lists", folds), "--json", tmp_path / "audit.json")
    assert (done.returncode, done.stderr) == (1, "")
    verdict = f"leaks: {leaked} of 981 test images have their subject in training"
    assert done.stdout.splitlines()[-1] == verdict
    assert "  for example: fold 0 tests " in done.stdout
    assert "  what to do:  put all images of a subject on one side" in done.stdout
    record = json.loads((tmp_path / "audit.json").read_text())
    assert (record["leaks"], record["verdict"]) == (True, verdict)


def test_a_plan_of_ours_passes_with_its_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = prepare_tiny(tmp_path, subjects=3)
    (tmp_path / "folds.json").write_text(paper_folds(store.subjects.tolist(), 3).to_json())
    assert main([str(tmp_path / "folds.json"), "--data", str(store.folder)]) == 0
    text = capsys.readouterr().out
    assert "images: 18 of 18" in text
    assert "layer:      none beside the images" in text
    assert "not looked at" not in text
    assert text.splitlines()[-1].startswith("disjoint and covering: each of the 18 images")


def test_the_layers_of_the_store_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = prepare_tiny(tmp_path, subjects=3)
    write_neutral(store.folder, store.dataset, store.size_pixels)
    (tmp_path / "folds.json").write_text(paper_folds(store.subjects.tolist(), 3).to_json())
    assert main([str(tmp_path / "folds.json"), "--data", str(store.folder)]) == 0
    assert "layer:      neutral: 3 neutral faces as a class (" in capsys.readouterr().out


def test_a_store_tells_the_classes_that_a_table_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = prepare_tiny(tmp_path, subjects=2)
    names = store.image_names[store.roles == "expressive"].tolist()
    rows = [{"image": f"{name}.png", "fold": int(name.startswith("S01"))} for name in names]
    assert main([str(write_table(tmp_path / "folds.csv", rows)), "--data", str(store.folder)]) == 0
    sizes = [line.split() for line in capsys.readouterr().out.splitlines() if line[:4].strip().isdigit()]
    assert sizes == [["0", "6", "1", "3", "6", "1", "3"], ["1", "6", "1", "3", "6", "1", "3"]]


def test_pixels_of_a_folder_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"image": f"S00{k}_001_00000001.png", "fold": k % 2} for k in range(4)]
    table = write_table(tmp_path / "folds.csv", rows)
    folder = tmp_path / "images"
    folder.mkdir()
    for k in range(4):
        assert cv2.imwrite(str(folder / f"S00{k}_001_00000001.png"), noise(str(k % 3), 40))
    assert main([str(table), "--images", str(folder)]) == 1
    text = capsys.readouterr().out
    assert "leak: 1 images are in training and test of one fold" in text
    assert text.splitlines()[-1].startswith("leaks: 1 images")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "FOLDS"),
        (("no/such/folder",), "no fold lists at no/such/folder"),
        ((CKPLUS_FRAMES, "--images", "no/such/folder"), "no/such/folder is not a folder"),
        ((CKPLUS_FRAMES, "--data", "no/such/store"), "no prepared store at no/such/store"),
        ((CKPLUS_FRAMES, "--data", "a", "--images", "b"), "not allowed with argument"),
        ((CKPLUS_FRAMES, "--image", "b"), "did you mean --images?"),
    ],
)
def test_bad_input_is_one_message_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str | Path, ...], fault: str
) -> None:
    with pytest.raises((UserError, SystemExit)) as caught:
        main([str(argument) for argument in arguments])
    if isinstance(caught.value, SystemExit):
        assert caught.value.code == 2
    assert fault in str(caught.value) + capsys.readouterr().err


def test_help_teaches_and_loads_nothing_heavy(root: Path) -> None:
    code = (
        "import sys; from platform.audit import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'cv2', 'pyarrow', 'torch'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert "examples:" in done.stdout
    assert "train_ids_K.csv" in done.stdout
