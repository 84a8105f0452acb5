"""Data sets are found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets import ckplus
from datasets.catalogue import dataset_names, describe, ensure_embedded, load_adapter, paper_image_counts
from datasets.records import EXPRESSIONS
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
    with pytest.raises(ValueError, match="not embedded"):
        ensure_embedded("mmi", tmp_path / "mmi")
    assert not (tmp_path / "mmi").exists()


def test_the_papers_counts_are_those_of_the_paper() -> None:
    counts = paper_image_counts("ckplus"), paper_image_counts("mmi")
    assert [sum(count.values()) for count in counts] == [981, 624]
    assert {name for count in counts for name in count} <= set(EXPRESSIONS)
