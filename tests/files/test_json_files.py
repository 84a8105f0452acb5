"""Whatever a JSON file holds, reading it gives a value or names the file and the line."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform.errors import UserError
from platform.files.json_files import parse_json, parse_own_json, read_json, read_json_object


def test_values_are_those_of_the_standard_library(tmp_path: Path) -> None:
    value = {"a": [1, 2.5, None, True, "é"], "b": {"c": []}, "big": 10**299}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(value, indent=1), encoding="utf-8-sig")
    assert read_json(path) == read_json_object(path) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: not valid JSON (Expecting value)"),
        ('{"a": 1,\n"b": }', "line 2: not valid JSON (Expecting value)"),
        ('{"a": 1}\n}', "line 2: not valid JSON (Extra data)"),
        ('{"a": 1, "a": 2}', "'a' appears twice in one object"),
        ('{"a": ' + "7" * 4301 + "}", "a number of 4,301 digits, but at most 300"),
        ("[" * 200 + "]" * 200, "more than 100 levels deep"),
        ("[" * 200_000, "more than 100 levels deep"),
        ('{"a":' * 101 + "1" + "}" * 101, "more than 100 levels deep"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=f"^folder/x.json.*{re.escape(complaint)}.*restore it"):
        parse_json(text, "folder/x.json")


@pytest.mark.parametrize("content", [b"", b'{"a":', b"\xff", b"[" * 100_000, b"1" * 5000, "[1,\n2,]"])
def test_what_we_wrote_and_something_damaged_is_named(content: bytes | str) -> None:
    assert parse_own_json(b'{"a": [1, 2.5, null]}', "x") == {"a": [1, 2.5, None]}
    with pytest.raises(UserError, match=r"^folder/x.json.*not valid JSON \(.*\); write it again"):
        parse_own_json(content, "folder/x.json", remedy="write it again.")


def test_wide_is_not_deep() -> None:
    assert len(parse_json("[" + ",".join(["[]"] * 500) + "]", "x")) == 500


def test_an_object_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text, kind in (("[]", "a list"), ("1", "a number"), ("null", "null"), ('"a"', "a text")):
        path.write_text(text)
        with pytest.raises(UserError, match=f"must hold a JSON object, but holds {kind}; write it again"):
            read_json_object(path, remedy="write it again.")


@settings(max_examples=150, deadline=None, database=None)
@given(
    st.binary(max_size=40) | st.text(alphabet='{}[]",:0123456789eE+-.\\u ntrl', max_size=60).map(str.encode)
)
def test_any_bytes_give_a_value_or_one_kind_of_error(content: bytes) -> None:
    with suppress(UserError):
        parse_json(content, "x.json")
