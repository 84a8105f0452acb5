from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from datasets.augmentation.content import (
    STRONG,
    augmentation_setting,
    canonical_content,
    is_content,
    listed_transforms,
    read_transforms,
)
from platform.errors import UserError

YAML = """
- Affine: {rotate: [-10, 10], p: 0.5}
- OneOf:
    transforms:
      - Blur
      - GaussNoise: {std_range: [0.01, 0.05]}
"""
ENTRIES = [
    {"Affine": {"rotate": [-10, 10], "p": 0.5}},
    {"OneOf": {"transforms": ["Blur", {"GaussNoise": {"std_range": [0.01, 0.05]}}]}},
]


def test_a_file_becomes_its_content_and_nothing_of_its_name(tmp_path: Path) -> None:
    for name in ("a.yaml", "B.YML"):
        (tmp_path / name).write_text(YAML)
    contents = {augmentation_setting(str(tmp_path / name)) for name in ("a.yaml", "B.YML")}
    assert contents == {canonical_content(ENTRIES)}
    assert json.loads(contents.pop()) == ENTRIES


@pytest.mark.parametrize(
    "same",
    [
        [{"Affine": {"p": 0.5, "rotate": [-10, 10]}}, ENTRIES[1]],
        [{"Affine": {"rotate": (-10.0, 10.0), "p": 0.5}}, ENTRIES[1]],
    ],
)
def test_the_same_transforms_written_otherwise_are_the_same_content(same: list[Any]) -> None:
    assert canonical_content(same) == canonical_content(ENTRIES)


def test_another_order_or_value_is_another_content() -> None:
    others = [ENTRIES[::-1], ENTRIES[:1], [{"Affine": {"rotate": [-10, 11], "p": 0.5}}, ENTRIES[1]]]
    assert len({canonical_content(entries) for entries in [ENTRIES, *others]}) == 4


def test_content_is_its_own_setting_and_a_list_or_loose_json_becomes_it() -> None:
    content = canonical_content(ENTRIES)
    for written in (content, ENTRIES, tuple(ENTRIES), json.dumps(ENTRIES, indent=1)):
        assert augmentation_setting(written) == content
    assert is_content(content)
    assert is_content(STRONG)
    assert listed_transforms(content) == ENTRIES


@pytest.mark.parametrize("name", ["paper", "none", "strong", "no such policy", 3])
def test_everything_else_is_left_for_the_configuration_to_check(name: Any) -> None:
    assert augmentation_setting(name) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Affine: {rotate: 3}", r"must be a list of `- Transform: \{argument: value\}`, but holds dict"),
        ("", "but holds NoneType"),
        ("[]", "one transform or more; for none use --augmentation none"),
        ("- Affine: {rotate: [1", "line 1: not valid YAML"),
        ("- Affine: {rotate: 2020-01-01}", r"Affine: rotate: datetime.date\(2020, 1, 1\) is neither"),
        ("- Affine: {rotate: .nan}", "Affine: rotate: numbers must be finite, but got nan"),
        ("- Affine: {1: 2}", "Affine: names of transforms and arguments are text, but got 1"),
        ("- !!python/object/apply:os.getcwd []", "line 1: not valid YAML"),
    ],
)
def test_a_file_that_is_no_list_of_transforms_is_refused_by_name(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as refusal:
        read_transforms(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*absent\.yaml: .*--augmentation"):
        augmentation_setting(str(tmp_path / "absent.yaml"))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"binary\.yaml, line 1 is not text in UTF-8"):
        augmentation_setting(str(tmp_path / "binary.yaml"))


def test_values_that_json_cannot_keep_and_broken_json_are_refused() -> None:
    with pytest.raises(UserError, match="is neither a number, text, a list nor a mapping"):
        canonical_content([{"Affine": {"rotate": datetime.date(2020, 1, 1)}}])
    with pytest.raises(UserError, match=r"starts with '\[', line 1: not valid JSON"):
        augmentation_setting("[{")
