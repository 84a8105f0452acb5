"""`python -m platform.prepare`, run as users run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
    assert "  disgust        3   (the paper has 177)\n" in done.stdout
    folder = tmp_path / "prepared/ckplus-32"
    assert str(folder / "preview.png") in done.stdout
    assert (folder / "preview.png").is_file()
    assert done.stdout.splitlines()[-1] == (
        f"next:       python -m platform.tune --dataset ckplus --data-root {tmp_path} --preset quick"
    )


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--dataset", "mmi"), "mmifacedb.eu"),
        (("--dataset", "ckplus"), "jeffcohn.net/resources"),
        (("--dataset", "ckplus", "--source", "no/such/folder"), "no/such/folder does not exist"),
        (("--dataset", "nmi"), "did you mean 'mmi'?"),
        (("--dataset", "mmi", "--sorce", "x"), "did you mean --source?"),
        (("--dataset", "mmi", "--size", "big"), "invalid int value: 'big'"),
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
