"""`python -m platform.prepare`, run as users run it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from datasets.prepared.store import PreparedStore
from datasets.prepared.store_files import read_manifest
from datasets.synthetic.layouts import load_layout
from platform.errors import UserError
from platform.host.launcher import command_words
from platform.prepare import main
from tests.datasets.prepared.layered_store import images_of
from tests.layout_trees import set_parameters, write_layout
from tests.raw_trees import write_ckplus


def prepare(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "platform.prepare", *map(str, arguments)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_a_copy_of_ckplus_is_prepared_and_summed_up(root: Path, tmp_path: Path) -> None:
    tree = write_ckplus(tmp_path / "ckplus", {"S005_001": "disgust", "S010_002": "surprise"})
    done = prepare(root, "--dataset", "ckplus", "--source", tree, "--data-root", tmp_path, "--size", "32")
    assert (done.returncode, done.stderr) == (0, "")
    assert "aligned faces: 8 of 8" in done.stdout
    assert "CK+: 6 expressive images and 2 neutral faces of 2 subjects" in done.stdout
    assert "  disgust        3   (paper: 177)\n" in done.stdout
    folder = tmp_path / "prepared/ckplus-32"
    assert str(folder / "preview.png") in done.stdout
    assert (folder / "preview.png").is_file()
    assert "next:       add subjects: every training set must contain every class" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--dataset", "mmi"), "mmifacedb.eu"),
        (("--dataset", "ckplus"), "jeffcohn.net/resources"),
        (("--dataset", "ckplus", "--source", "no/such/folder"), "no/such/folder does not exist"),
        (("--dataset", "nmi"), "did you mean 'mmi'?"),
        (("--dataset", "mmi", "--sorce", "x"), "did you mean --source?"),
        (("--dataset", "mmi", "--size", "big"), "--size takes a whole number, but got 'big'"),
        ((), "--dataset"),
    ],
)
def test_bad_input_is_one_message_and_status_2(
    root: Path, tmp_path: Path, arguments: tuple[str, ...], fault: str
) -> None:
    done = prepare(root, *arguments, "--data-root", tmp_path)
    assert done.returncode == 2
    assert fault in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_help_teaches_and_loads_nothing_heavy(root: Path) -> None:
    done = prepare(root, "--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout
    assert "--dataset ckplus --source ~/CK+" in done.stdout
    script = (
        "import sys, platform.prepare; print({'numpy', 'cv2', 'pyarrow', 'torch', 'ray'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "set()\n"


def run_here(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What the command prints, run in this process."""
    assert main([*map(str, arguments)]) is None
    return capsys.readouterr().out


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_ckplus(
        tmp_path / "ckplus", {"S005_001": "disgust", "S010_002": "surprise", "S010_003": None}
    )


@pytest.fixture
def common(tree: Path, tmp_path: Path) -> tuple[str, ...]:
    here = ("--source", str(tree), "--data-root", str(tmp_path / "data"), "--size", "32", "--workers", "1")
    return ("--dataset", "ckplus", *here)


def test_inspect_prints_files_codes_and_counts_and_writes_nothing(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = run_here(capsys, "--inspect", tree)
    assert "15 .png   cohn-kanade-images/S005/001/S005_001_00000001.png" in printed
    assert "looks like: CK+ (ckplus)" in printed
    assert "label codes: 3.0000000e+00 (1), 7.0000000e+00 (1), none (1)" in printed
    assert "6 expressive images of 2 sequences and 2 neutral faces of 2 subjects" in printed
    assert printed.splitlines()[-1].endswith(f"fer prepare --dataset ckplus --source {tree}")
    assert [path.name for path in tmp_path.iterdir()] == ["ckplus"]


def test_frames_takes_exactly_the_listed_ones(
    common: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text("S005_001_00000002.png\nS010_002_00000004.png\n")
    printed = run_here(capsys, *common, "--frames", tmp_path / "list.txt")
    assert "CK+: 2 expressive images and 2 neutral faces of 2 subjects" in printed


def test_whole_sequences_keeps_the_other_frames_as_context(
    common: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    printed = run_here(capsys, *common, "--whole-sequences")
    assert "CK+: 6 expressive images and 2 neutral faces and 2 other frames of 2 subjects" in printed


def test_skip_bad_lists_what_it_left_out(
    common: tuple[str, ...], tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = tree / "cohn-kanade-images/S005/001/S005_001_00000004.png"
    frame.write_text("no image")
    with pytest.raises(UserError, match=r"S005_001_00000004\.png is not a readable image"):
        main([*common])
    assert list((tmp_path / "data/prepared").iterdir()) == []
    printed = run_here(capsys, *common, "--skip-bad")
    assert "CK+: 5 expressive images" in printed
    assert "left out:   1 items" in printed
    (item, why), *rest = read_manifest(tmp_path / "data/prepared/ckplus-32")["left_out"]
    assert (item, rest) == ("cohn-kanade-images/S005/001/S005_001_00000004.png", [])
    assert "no known kind of image" in why


def test_per_class_draws_as_many_of_each_and_the_seed_decides_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_layout(load_layout("affectnet_npy"), tmp_path / "set", set_parameters(3))
    common = ("--dataset", "affectnet", "--source", tmp_path / "set", "--size", "32", "--workers", "1")
    names = []
    for seed in ("0", "0", "1"):
        printed = run_here(
            capsys, *common, "--per-class", "1", "--draw-seed", seed, "--data-root", tmp_path / seed
        )
        assert "AffectNet: 7 expressive images and 0 neutral faces" in printed
        names.append(PreparedStore.open(tmp_path / seed / "prepared/affectnet-32").image_names.tolist())
    assert names[0] == names[1] != names[2]


def test_layers_are_added_and_shown_and_the_images_stay(
    common: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_here(capsys, *common)
    folder = tmp_path / "data/prepared/ckplus-32"
    before = images_of(PreparedStore.open(folder))
    printed = run_here(capsys, *common, "--sequences", "--dense-landmarks")
    assert "aligned frames: 10 of 10" in printed
    assert "aligned faces" not in printed
    added = "sequences: 2 sequences of 10 frames, aligned: 10 by their own landmarks"
    assert f"layer:      {added} (" in printed
    assert "layer:      landmarks: 68 points in 10 faces, from data set (" in printed
    assert images_of(PreparedStore.open(folder)) == before
    shown = run_here(capsys, "--inspect", folder)
    assert added in shown
    prepare_words = shlex.join(command_words("prepare"))
    command = f"{prepare_words} --dataset ckplus --data-root {tmp_path / 'data'} --size 32"
    assert f"no layer:   neutral (neutral faces as a class); add it: {command} --neutral-class" in shown
    words = ("--dataset", "ckplus", "--data-root", tmp_path / "data", "--size", "32", "--neutral-class")
    assert "layer:      neutral: 2 neutral faces as a class (" in run_here(capsys, *words)
    assert "no layer:" not in run_here(capsys, "--inspect", folder)
    (folder / "layers/neutral/manifest.json").write_text("{}")
    assert "layer:      neutral cannot be used: " in run_here(capsys, "--inspect", folder)


def test_images_and_layers_are_prepared_by_one_command(
    common: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = run_here(capsys, *common, "--sequences")
    assert "aligned faces: 8 of 8" in printed
    assert "aligned frames: 10 of 10" in printed
    alone = ("--data-root", str(tmp_path / "alone"))
    run_here(capsys, *common, *alone)
    alone_images = images_of(PreparedStore.open(tmp_path / "alone/prepared/ckplus-32"))
    assert images_of(PreparedStore.open(tmp_path / "data/prepared/ckplus-32")) == alone_images


def test_layers_of_other_images_are_removed_and_that_is_said(
    common: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run_here(capsys, *common, "--sequences")
    assert "removed:" not in run_here(capsys, *common)
    with pytest.raises(UserError, match="prepared otherwise than --whole-sequences says"):
        main([*common, "--sequences", "--whole-sequences"])
    printed = run_here(capsys, *common, "--whole-sequences")
    assert "removed:    the layer sequences of the earlier images; add it again: " in printed


def test_a_sequence_layer_of_a_set_without_sequences_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_layout(load_layout("affectnet_npy"), tmp_path / "set", set_parameters(3))
    common = ("--dataset", "affectnet", "--source", tmp_path / "set", "--size", "32", "--workers", "1")
    run_here(capsys, *common, "--data-root", tmp_path)
    with pytest.raises(UserError, match="cannot run on AffectNet: each of its images is a photograph"):
        main([*map(str, common), "--data-root", str(tmp_path), "--sequences"])
    shown = run_here(capsys, "--inspect", tmp_path / "prepared/affectnet-32")
    assert "no layer:   sequences: each of its images is a photograph of another moment" in shown
    assert "no layer:   neutral: the set has no neutral faces" in shown
