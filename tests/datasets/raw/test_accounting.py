"""Every adapter accounts for every file: what is planted is used, junk, named, or stops the reading."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from datasets.catalogue import load_adapter
from datasets.raw.accounting import FileKind, Layout, account_for
from datasets.raw.choices import BadItems
from datasets.synthetic.layouts import LAYOUTS, load_layout
from platform.errors import UserError

JUNK = (
    "Thumbs.db",
    ".DS_Store",
    "._x.png",
    "desktop.ini",
    "__MACOSX/._x.png",
    "@eaDir/x.jpg",
    "lost+found/x.png",
)


@pytest.fixture(scope="module")
def trees(drawn_layouts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A copy of a set in every layout, by the layout's name; tests put back what they change."""
    root = tmp_path_factory.mktemp("copies")
    return {name: shutil.copytree(tree, root / name) for name, tree in drawn_layouts.items()}


@pytest.fixture(params=sorted(LAYOUTS))
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(layout: str, tree: Path, bad: BadItems | None = None) -> list[tuple[str, str]]:
    """Name and expression of every record."""
    adapter = load_adapter(load_layout(layout).DATASET)
    return sorted((one.image_name, one.expression) for one in adapter.read_records(tree, bad=bad))


def kinds_of_files(tree: Path) -> list[Path]:
    """A file of every kind and place: the last of those that differ in numbers alone."""
    found = {}
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            name = re.sub(r"[0-9a-f]{20,}", "#", path.relative_to(tree).as_posix())
            found[re.sub(r"\d+|(?<=/)[FMPS]\d+|(?<=_)(AN|DI|FE|HA|SA|SU)", "#", name)] = path
    return list(found.values())


def folders_of(tree: Path) -> list[Path]:
    """The root and one folder of each depth and first name."""
    found = {(): tree}
    for path in sorted(tree.rglob("*")):
        if path.is_dir():
            parts = path.relative_to(tree).parts
            found[parts[:1] + (len(parts),)] = path  # type: ignore[index]
    return list(found.values())


def test_a_whole_copy_has_nothing_else_in_it(layout: str, trees: dict[str, Path]) -> None:
    bad = BadItems()
    assert read(layout, trees[layout], bad)
    assert (bad.beside, bad.left_out) == ([], [])


def test_junk_is_passed_over_everywhere(layout: str, trees: dict[str, Path]) -> None:
    tree = trees[layout]
    before = read(layout, tree)
    planted = [folder / name for folder in folders_of(tree) for name in JUNK]
    for path in planted:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    bad = BadItems()
    assert read(layout, tree, bad) == before
    assert bad.beside == []
    for path in planted:
        path.unlink()
    for path in planted:
        if path.parent.name in ("__MACOSX", "@eaDir", "lost+found"):
            path.parent.rmdir()


def test_documents_are_named_and_stop_nothing(layout: str, trees: dict[str, Path]) -> None:
    tree = trees[layout]
    before = read(layout, tree)
    planted = [
        folder / name for folder in folders_of(tree) for name in ("ReadMe.txt", "paper.pdf", "all.zip")
    ]
    (tree / "my results").mkdir()
    for path in planted:
        path.write_bytes(b"x")
    bad = BadItems()
    assert read(layout, tree, bad) == before
    named = {path.relative_to(tree).as_posix() for path in planted}
    assert set(bad.beside) == named | {"my results/"}
    for path in planted:
        path.unlink()
    (tree / "my results").rmdir()


ORDINARY = {
    "ckplus": (
        "FACS/S001/001/S001_001_00000011_facs.txt",
        "ReadMeFirst-CK+.pdf",
        "Consent.doc",
        "Emotion_labels.zip",
        "Emotion/ReadMe.txt",
        "cohn-kanade-images/S001/.DS_Store",
    ),
    "mmi": (
        "Sessions/1/session.xml",
        "Sessions/1/S001-100-oao_aucs.xml",
        "Sessions/900/session.xml",
        "Sessions/900/S099-001.jpg",
        "sessions.zip",
        "EULA.pdf",
        "orientation-notes.txt",
    ),
    "affectnet": (
        "Manually_Annotated.zip",
        "Manually_Annotated.z01",
        "Automatically_Annotated_Images/1/x.jpg",
        "Automatically_annotated_file_list/automatically_annotated.csv",
        "automatically_annotated.csv",
        "README.txt",
    ),
    "affectnet_npy": ("train_set.tar", "val_set.tar", "test_set/images/0.jpg", "readme.md"),
    "oulu_casia": (
        "PreProcess_Img/NI_Acropped/Strong/P001/Anger/000.jpeg",
        "PreProcess_Img/VL_Acropped/Dark/P001/Anger/0.jpeg",
        "OriginalImg/VL/Strong/P001/Anger/000.jpeg",
        "OriginalVideo.rar",
        "PreProcess_Img/VL_Acropped/readme.txt",
    ),
    "bu3dfe": (
        "F0001/F0001_AN01WH_F3D.wrl",
        "F0001/F0001_AN01WH_F3D.bmp",
        "F0001/F0001_AN01WH_RAW.wrl",
        "F0001/F0001_AN01WH.bnd",
        "Readme.doc",
        "BU_3DFE.tar.gz",
    ),
    "fmpn_release": (
        "bbox_landmark_mtcnn.pkl",
        "README.md",
        "imgs/S999_001_00000001.png",
        "main.py",
        "ckplus.zip",
        "checkpoints/1.pth",
    ),
}
"""Other files of each data set's delivery, and what a user leaves beside them."""


def test_an_ordinary_copy_passes(layout: str, trees: dict[str, Path]) -> None:
    tree = trees[layout]
    before = read(layout, tree)
    planted = [tree / name for name in ORDINARY[layout] if not (tree / name).exists()]
    made = [parent for path in planted for parent in path.parents if not parent.exists()]
    for path in planted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    bad = BadItems()
    assert read(layout, tree, bad) == before
    assert bad.left_out == []
    for path in planted:
        path.unlink()
    for path in sorted(set(made), reverse=True):
        path.rmdir()


RENAMED = (
    lambda path: path.with_name(f"{path.stem} (1){path.suffix}"),
    lambda path: path.with_name(f"{path.stem} - Copy{path.suffix}"),
    lambda path: path.with_name(f"{path.name}{path.suffix}"),
    lambda path: path.with_name(f"{path.name}.bak"),
    lambda path: path.with_name(path.name.upper()),
    lambda path: path.with_suffix(path.suffix.upper()),
    lambda path: path.with_suffix({".avi": ".mp4", ".txt": ".csv", ".csv": ".txt"}.get(path.suffix, ".gif")),
)


@pytest.mark.parametrize("number", range(len(RENAMED)))
def test_no_file_is_lost_under_another_name(layout: str, trees: dict[str, Path], number: int) -> None:
    tree = trees[layout]
    before = read(layout, tree)
    for path in kinds_of_files(tree):
        other = RENAMED[number](path)
        path.rename(other)
        bad = BadItems()
        try:
            after = read(layout, tree, bad)
        except UserError as error:
            assert path.stem.split("_")[0] in str(error) or other.name in str(error)  # noqa: PT017
        else:
            named = other.relative_to(tree).as_posix() in bad.beside
            assert after == before, f"{path} as {other.name}"
            assert named or other.name.casefold() == path.name.casefold(), f"{path} as {other.name}"
        finally:
            other.rename(path)


def test_a_folder_under_another_name_is_missed(layout: str, trees: dict[str, Path]) -> None:
    tree = trees[layout]
    before = read(layout, tree)
    for path in folders_of(tree)[1:]:
        for name in (f"{path.name} (1)", f"{path.name} - Copy", path.name.swapcase()):
            if name == path.name:  # digits alone
                continue
            other = path.rename(path.with_name(name))
            try:
                after = read(layout, tree)
            except UserError as error:
                assert path.name.casefold() in str(error).casefold()  # noqa: PT017
            else:  # a session of MMI's may have any name
                assert after == before
            finally:
                other.rename(path)


LETTERS = Layout(
    title="Letters",
    tops=("letters",),
    top_names=("letters",),
    kinds=(
        FileKind(
            what="letter", folder=r"letters/\d", name=r"[a-z]\.txt", example="letters/1/a.txt",
            suspect=r"\.txt$", elsewhere=r"[a-z]\.txt",
        ),
    ),
    beside=("drafts", r"letters/\d/[a-z]\.log"),
    keep=("letter",),
)  # fmt: skip


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return root


def test_an_account_has_a_place_for_every_file(tmp_path: Path) -> None:
    write(tmp_path, "letters/1/a.txt", "letters/1/B.TXT", "letters/1/a.log", "drafts/1/x (1).txt", "notes.md")
    write(tmp_path, "other/a.txt", "synthetic.json", "letters/list.csv")
    bad = BadItems()
    account = account_for(tmp_path, LETTERS, bad)
    assert account.counts == {"letter": 2}
    assert account.kept == {"letter": ["letters/1/B.TXT", "letters/1/a.txt"]}
    assert bad.beside == ["notes.md", "letters/list.csv", "other/"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("letters/1/a (1).txt", r"did you mean a\.txt\?"),
        ("letters/1 (1)/a.txt", r"did you mean letters/1/a\.txt\?"),
        ("Letters/1/a.txt", r"did you mean letters\?"),
        ("letters - Copy/1/a.txt", r"did you mean letters\?"),
        ("letters/a.txt", r"a letter in another folder than letters/1/a\.txt"),
        ("letters/1/alpha.txt", r"letters are named like a\.txt"),
    ],
)
def test_what_is_almost_data_stops_or_is_left_out(tmp_path: Path, name: str, why: str) -> None:
    write(tmp_path, "letters/1/b.txt", name)
    with pytest.raises(UserError, match=rf"a name in .* resembles data of Letters.*{why}.*--skip-bad"):
        account_for(tmp_path, LETTERS, BadItems())
    bad = BadItems(skip=True)
    account_for(tmp_path, LETTERS, bad)
    ((item, reason),) = bad.left_out
    assert name.startswith(item)
    assert re.search(why, reason)


def test_another_format_beside_the_original_is_somebodys_own(tmp_path: Path) -> None:
    write(tmp_path, "letters/1/a.txt", "letters/1/a.txt.csv")
    assert account_for(tmp_path, LETTERS, BadItems()).others == ["letters/1/a.txt.csv"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    write(tmp_path, "letters/1/a.txt")
    (tmp_path / "letters/1/again").symlink_to(tmp_path / "letters")
    assert account_for(tmp_path, LETTERS, BadItems()).counts == {"letter": 1}


def test_many_names_are_counted(tmp_path: Path) -> None:
    write(tmp_path, *(f"letters/1/{letter} (1).txt" for letter in "abcdefgh"))
    with pytest.raises(
        UserError, match=r"8 names in .* resemble data of .*; and 3 more; restore the original names"
    ):
        account_for(tmp_path, LETTERS, BadItems())
