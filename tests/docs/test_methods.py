"""docs/methods.md: what the code and the other documents refer to is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from platform.evaluation.reported import dgcn_paper, feratt_paper, fmpn_paper
from tests.test_documented_paths import texts

HEADING = re.compile(r"^#{2,3} (\d(?:\.\d)?)\.? ", re.MULTILINE)
NUMBER = r"§?\s*\d(?:\.\d)?"
REFERENCE = re.compile(rf"docs/methods\.md(?:,|\)|`)*[\s#\"]*(§\s*{NUMBER}(?:(?:,| and| to)\s*{NUMBER})*)")
"""`docs/methods.md, §2.2 and §2.4`, over a line's end too."""


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs/methods.md").read_text(encoding="utf-8")


def test_every_reference_resolves_to_a_heading(text: str, root: Path) -> None:
    headings = set(HEADING.findall(text))
    found = [
        (str(path.relative_to(root)), number)
        for path, content in texts(root, ".py", ".md")
        for match in REFERENCE.finditer(content)
        for number in re.findall(r"\d(?:\.\d)?", match[1])
    ]
    assert found
    assert not [(path, number) for path, number in found if number not in headings]


def test_nothing_refers_to_notes_outside_the_repository(root: Path) -> None:
    """Until 28 November 2026 the sources said METHODS, which was a file elsewhere."""
    named = re.compile(r"\bMETHODS(?:'| §| \d| section|\))")
    found = [
        str(path.relative_to(root))
        for path, text in texts(root, ".py", ".md")
        if named.search(prose(path, text))
    ]
    assert not found


def prose(path: Path, text: str) -> str:
    """Comments and strings of a source; the whole text of a document."""
    if path.suffix != ".py":
        return text
    strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
    return "\n".join([*(one for one in strings if isinstance(one, str)), *comments])


def test_every_section_that_the_table_of_fidelity_names_is_there(text: str, root: Path) -> None:
    named = re.findall(r"§(\d(?:\.\d)?)", (root / "docs/fidelity.md").read_text(encoding="utf-8"))
    assert len(named) > 25
    assert set(named) <= set(HEADING.findall(text))


def test_the_reported_numbers_are_those_that_the_table_compares_with(text: str) -> None:
    lines = [line for line in text.splitlines() if re.match(r"\| .* \| (sequences|images) \|", line)]
    written = {cell for line in lines for cell in re.findall(r"\d\d\.\d\d", line)}
    known = {f"{one.accuracy_percent:.2f}" for one in fmpn_paper.RESULTS}
    assert len(lines) == 9
    assert written == known
    for one in (*feratt_paper.RESULTS, *dgcn_paper.RESULTS):
        numbers = [one.accuracy_percent]
        if one.measures is not None:
            numbers += [one.measures.precision, one.measures.recall, one.measures.f1]
        assert " / ".join(f"{number:.2f}" for number in numbers) in text, one
