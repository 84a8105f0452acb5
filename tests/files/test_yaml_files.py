"""Whatever a YAML file holds, reading it gives plain values or names the file and the line."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from platform.errors import UserError
from platform.files.yaml_files import parse_yaml, read_yaml


def test_values_are_those_of_the_safe_loader(tmp_path: Path) -> None:
    shared = [1, 2]
    value = {"a": shared, "b": shared, "c": {"d": None, "e": True, "f": 1.5, "g": "1e-4"}}
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump(value))
    assert "*id" in path.read_text()
    assert read_yaml(path) == value
    assert parse_yaml("", "x") is None
    assert parse_yaml("base: &b {a: 1, c: 2}\nall: {<<: *b, c: 3}", "x")["all"] == {"a": 1, "c": 3}


BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
)
MERGED = "\n".join(
    ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 10)]
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: [", "line 2: not valid YAML"),
        ("trials: 2001-99-99", "line 1: not valid YAML ('2001-99-99' is not a valid timestamp)"),
        ("\npruning: !!bool x", "line 2: not valid YAML ('x' is not a valid bool)"),
        ("trials: !!float abc", "'abc' is not a valid float"),
        ('trials: !!int ""', "'' is not a valid int"),
        ("trials: !!timestamp x", "'x' is not a valid timestamp"),
        ("trials: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: 1\nb: 2\na: 3", "line 3: not valid YAML (the key 'a' appears twice)"),
        ("- {p: 1, p: 2}", "line 1: not valid YAML (the key 'p' appears twice)"),
        ("? [1]\n: 2", "a key must be text or a number"),
        ("a: " + "9" * 4301, "a number of 4,301 characters, but at most 300"),
        ("a: 0x" + "f" * 5000, "a number of 5,002 characters"),
        ("a: " + ":".join(["59"] * 5000), "characters, but at most 300"),
        ("[" * 100_000, "more than 50 levels deep"),
        ("- " * 1000 + "x", "more than 50 levels deep"),
        ("&a [*a]", "an alias contains itself"),
        ("a: *b", "found undefined alias"),
        (BOMB, "line 6: not valid YAML (aliases expand to more than 500,000 values)"),
        (MERGED, "aliases expand to more than 500,000 values"),
        ("a: \x07", "line 1: not valid YAML"),
        ("a: 1\n---\nb: 2", "but found another document"),
    ],
)
@pytest.mark.timeout(20)
def test_what_cannot_be_used_is_named(text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=f"^folder/x.yaml.*{re.escape(complaint)}"):
        parse_yaml(text, "folder/x.yaml")


SNIPPETS = st.sampled_from(
    ["a: ", "- ", "&x ", "*x", "<<: ", "!!int ", "!!set ", "!!omap ", "!!binary ", "!!pairs ", "!!map ", "? ",
     ": ", "{", "}", "[", "]", ",", "\n", " ", "1", "0x", "1:2", "2001-01-01", "|", ">", '"', "'", "%", "@",
     "é", ".inf", "~", "#", "---", "...", "\t", "=", "!!float ", "!!null ", "!!str ", "!"]
)  # fmt: skip


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(SNIPPETS, max_size=12).map("".join) | st.text(max_size=30))
def test_any_text_gives_a_value_or_one_kind_of_error(text: str) -> None:
    with suppress(UserError):
        parse_yaml(text, "x.yaml")
