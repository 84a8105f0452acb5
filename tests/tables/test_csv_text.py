from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from platform.files.tables import read_table
from platform.tables.csv_text import csv_text, safe_cell
from tests.tables.original_text import original_text

HOSTILE = (
    "=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "'=1", "'", "-",
    "=a\\x1bb\\",
    "\x1b]0;owned\x07", "two\nlines", "a\x9b2J", "caf\udce9", "=1\n\x1b\\n",
)  # fmt: skip
HARMLESS = ("", "anger", "a-b", "1=2", "a\\b", "-0.5", "+3", "-1e-4", "怒り", 'say "x", y', "wait 'till")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_spreadsheet_would_run_is_text_and_comes_back(text: str) -> None:
    cell = safe_cell(text)
    assert cell[0] == "'"
    assert cell.isprintable()
    assert original_text(cell) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_texts_and_numbers_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == original_text(text) == text


def test_headers_and_numbers_are_not_touched_and_every_text_comes_back(tmp_path: Path) -> None:
    records = [{"-name": text, "value": -0.5} for text in (*HOSTILE, *HARMLESS) if text]
    text = csv_text(("-name", "value", "absent"), records)
    lines = list(csv.DictReader(io.StringIO(text)))
    assert list(lines[0]) == ["-name", "value", "absent"]
    assert {line["value"] for line in lines} == {"-0.5"}
    assert [original_text(line["-name"]) for line in lines] == [record["-name"] for record in records]
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    rows = [row.cells() for row in read_table(tmp_path / "table.csv").rows()]
    assert [original_text(row["-name"]) for row in rows] == [record["-name"] for record in records]


def test_results_are_written_as_csv_nowhere_else(root: Path) -> None:
    for path in (root / "platform").rglob("*.py"):
        writes = re.search(r"csv\.(writer|DictWriter)", path.read_text(encoding="utf-8"))
        assert (writes is not None) == (path.name == "csv_text.py"), path
