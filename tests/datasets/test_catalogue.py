"""Data sets are found by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from datasets import catalogue, ckplus
from datasets.catalogue import dataset_names, describe, ensure_embedded, load_adapter, paper_image_counts
from datasets.inspection import check_looks_right, layouts_of
from datasets.prepared.preparation import prepare_dataset
from datasets.records import EXPRESSIONS
from platform.cli.known_names import known_names
from platform.cli.prepare_report import inspection_lines
from platform.errors import UserError


def test_the_names_are_these() -> None:
    assert dataset_names() == [
        "affectnet", "bu3dfe", "ckplus", "fmpn_release", "folder", "mmi", "oulu_casia", "synthetic",
        "synthetic_mmi", "synthetic_wild",
    ]  # fmt: skip


def test_a_name_loads_its_adapter() -> None:
    assert load_adapter("ckplus") is ckplus


@pytest.mark.parametrize("name", ["ckplus", "mmi"])
def test_a_licensed_adapter_offers_what_the_platform_calls(name: str) -> None:
    adapter = load_adapter(name)
    assert describe(name).name == name
    assert not describe(name).embedded
    assert callable(adapter.read_records)
    assert callable(adapter.read_frame)
    assert "http" in describe(name).request_from


@pytest.mark.parametrize("name", ["synthetic", "synthetic_mmi", "synthetic_wild"])
def test_an_embedded_adapter_can_write_its_set(name: str) -> None:
    adapter = load_adapter(name)
    assert describe(name).name == name
    assert describe(name).embedded
    assert callable(adapter.ensure_written)  # type: ignore[attr-defined]
    assert paper_image_counts(name) == {}


def test_an_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown data set 'mmy'; did you mean 'mmi'\? Known: affectnet, bu"):
        load_adapter("mmy")


def test_a_licensed_set_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a built-in data set"):
        ensure_embedded("mmi", tmp_path / "mmi")
    assert not (tmp_path / "mmi").exists()


def test_the_papers_counts_are_those_of_the_paper() -> None:
    counts = paper_image_counts("ckplus"), paper_image_counts("mmi")
    assert [sum(count.values()) for count in counts] == [981, 624]
    assert {name for count in counts for name in count} <= set(EXPRESSIONS)


def test_a_data_set_is_one_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/datasets/toy_adapter.py is the file; this is the line. Inspection, help and preparation
    follow."""
    monkeypatch.setitem(catalogue.ADAPTERS, "toy", "tests.datasets.toy_adapter")
    tree = tmp_path / "toy"
    tree.mkdir()
    for number, subject in enumerate(("anna", "ben")):
        for expression in ("anger", "happiness", "neutral"):
            Image.new("RGB", (40, 40), (90 + number, 60, 30)).save(tree / f"{subject}-{expression}.png")
    assert layouts_of(tree) == ["toy"]
    assert any("looks like: Toy faces (toy)" in line for line in inspection_lines(tree, None))
    with pytest.raises(UserError, match="it looks like Toy faces's; pass --dataset toy"):
        check_looks_right("ckplus", tree)
    assert "toy" in known_names("dataset")
    store = prepare_dataset("toy", 32, data_root=tmp_path / "data", source=tree, aligned=True)
    assert (store.class_names, len(store.subjects)) == (("anger", "happiness"), 6)
    with pytest.raises(UserError, match=r"Toy faces needs --source DIR, .* <subject>-<expression>\.png"):
        prepare_dataset("toy", 32, data_root=tmp_path / "data")
