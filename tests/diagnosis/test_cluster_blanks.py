"""Blanks of a cluster file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from platform.diagnosis.cluster_blanks import BLANK, WHAT_TO_PUT, blanks, is_blank, texts
from platform.diagnosis.finding import Finding
from platform.doctor import lines
from tests.cluster_files import FILLED, NAMES, filled


@pytest.mark.parametrize("name", NAMES)
def test_every_blank_of_our_files_is_one_line_with_what_to_put_there(root: Path, name: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    found = list(blanks(name, yaml.safe_load(text)))
    values = {one.name: one.value for one in found}
    outside_comments = "\n".join(line.partition("#")[0] for line in text.splitlines())
    assert set(values) == set(BLANK.findall(outside_comments))
    assert len(found) == len(values) >= 5
    assert all(one.state == "failed" for one in found)
    for blank, value in values.items():
        assert value.startswith(f"{name}, ")
        assert value.endswith(f": put {WHAT_TO_PUT[blank]}")
        shown = lines(Finding("failed", blank, value))
        assert len(shown) == 1, "longer than its line on the screen"


def test_the_key_is_that_of_the_file() -> None:
    config = {
        "provider": {"region": "FILL_IN_REGION"},
        "setup_commands": ["a", "mount FILL_IN_FILE_SYSTEM:/"],
    }
    places = [one.value.partition(":")[0] for one in blanks("c.yaml", config)]
    assert places == ["c.yaml, provider.region", "c.yaml, setup_commands[1]"]


@pytest.mark.parametrize("name", NAMES)
def test_a_filled_in_file_gets_a_tick(root: Path, name: str) -> None:
    assert [one.state for one in blanks(name, filled(root, name))] == ["ok"]


def test_a_blank_of_another_name_is_found_too() -> None:
    (found,) = blanks("c.yaml", {"a": [{"b": "FILL_IN_SOMETHING"}]})
    assert (found.name, found.value) == ("FILL_IN_SOMETHING", "c.yaml, a[0].b: put a value of yours")


def test_texts_are_found_at_any_depth() -> None:
    assert dict(texts({"a": [{"b": "x"}], "c": 1})) == {"a": "a", "a[0].b": "x", "c": "c"}


def test_only_blanks_are_blank() -> None:
    assert is_blank("fs-FILL_IN_X:/")
    assert not is_blank(3)
    assert not any(is_blank(value) for value in FILLED.values())
