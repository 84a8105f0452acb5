"""CK+48 and JAFFE as they are downloaded are recognised, and doing what the message says works."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from datasets import folder
from datasets.catalogue import recognisable_names
from datasets.inspection import check_looks_right
from datasets.raw.downloads import recognise_download
from platform.cli.prepare_report import inspection_lines
from platform.errors import UserError

CKPLUS_48 = (
    "anger/S010_004_00000017.png", "anger/S010_004_00000018.png", "contempt/S138_008_00000007.png",
    "happy/S011_006_00000011.png", "sadness/S014_002_00000014.png", "surprise/S010_002_00000012.png",
)  # fmt: skip
JAFFE = ("KA.AN1.39.tiff", "KA.NE1.26.tiff", "KA.HA2.30.tiff", "YM.SU1.58.tiff", "README_FIRST.txt")


def draw(root: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (48, 48), 90).save(root / name) if not name.endswith("txt") else (root / name).touch()
    return root


@pytest.mark.parametrize("dataset", recognisable_names())
@pytest.mark.parametrize("above", ["", ".."])
def test_a_download_is_told_what_to_do(tmp_path: Path, dataset: str, above: str) -> None:
    crops = draw(tmp_path / "a/CK+48", CKPLUS_48)
    with pytest.raises(UserError, match=r"looks like CK\+48 .*imgs/ next to FMPN's lists.*faces\.csv"):
        check_looks_right(dataset, crops / above)
    women = draw(tmp_path / "b/jaffe", JAFFE)
    with pytest.raises(UserError, match=r"looks like JAFFE .*faces\.csv.*KA\.AN1\.39\.tiff,KA,anger"):
        check_looks_right(dataset, women / above)


def test_inspection_tells_the_same(tmp_path: Path) -> None:
    lines = inspection_lines(draw(tmp_path, CKPLUS_48), None)
    assert lines[-2] == "looks like: CK+48, as downloaded"
    assert "anger/S010_004_00000017.png,S010,anger" in lines[-1]
    assert f"--dataset folder --source {tmp_path} --aligned" in lines[-1]


def test_with_the_table_it_says_they_are_read(tmp_path: Path) -> None:
    crops = draw(tmp_path / "CK+48", CKPLUS_48)
    rows = [
        f"{name},{Path(name).name[:4]},{name.split('/')[0].replace('happy', 'happiness')}"
        for name in CKPLUS_48
    ]
    (crops / "faces.csv").write_text("\n".join(["image,subject,expression", *rows]) + "\n")
    check_looks_right("folder", crops)
    records = folder.read_records(crops)
    assert sorted(one.source for one in records) == sorted(CKPLUS_48)
    assert {one.subject_id for one in records} == {"S010", "S011", "S014", "S138"}
    women = draw(tmp_path / "jaffe", JAFFE)
    rows = ["KA.AN1.39.tiff,KA,anger", "KA.NE1.26.tiff,KA,neutral", "KA.HA2.30.tiff,KA,happiness"]
    (women / "faces.csv").write_text("\n".join(["image,subject,expression", *rows]) + "\n")
    check_looks_right("folder", women)
    assert [one.role for one in folder.read_records(women)] == ["expressive", "expressive", "neutral"]


def test_peoples_own_folders_are_no_downloads(tmp_path: Path) -> None:
    assert recognise_download(draw(tmp_path / "own", ("anna/anger/1.png", "anna/fear/1.png"))) is None
    one_person = ("S005/anger/S005_001_00000011.png", "S005/fear/S005_002_00000011.png",
                  "S005/sadness/S005_003_00000011.png")  # fmt: skip
    assert recognise_download(draw(tmp_path / "one", one_person)) is None
