"""Hostile names of classes, experiments and titles in every form that people read."""

from __future__ import annotations

import csv
import dataclasses
import html.parser
import io
import json
import re
from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.evaluation.metrics import ClassScore
from platform.host.console import visible
from platform.reports.figures import mask_figure, save_figure
from platform.reports.html import report_html
from platform.runs.store import ResultsStore
from platform.tables.displayable import displayable
from platform.tables.render import FORMATS, render
from platform.tables.table import build_table
from tests.fake_runs import write_experiment, write_row
from tests.tables.original_text import original_text

NAME = "=x|y`<img src=http://a.b/c onerror=alert(1)>`![i](http://a.b)&amp;*b*\x1b[2J\x9b\n# $\\frac{ \u202e"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    """A row of which every text that a user or a file can choose is NAME."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    made = aggregate_experiment(store, write_experiment(store, [write_row(store), write_row(store, seed=1)]))
    return [dataclasses.replace(one, row=renamed(one)) for one in made]


def renamed(one: AggregatedRow):  # type: ignore[no-untyped-def]
    scores = one.row.scores
    assert scores is not None
    classes = tuple(
        dataclasses.replace(score, name=f"{NAME}{score.name}", predicted_count=0) for score in scores.classes
    )
    scores = dataclasses.replace(
        scores, classes=classes, class_names=tuple(f"{NAME}{name}" for name in scores.class_names)
    )
    return dataclasses.replace(
        one.row, scores=scores, experiment=NAME, title=NAME, preset=NAME, command=NAME, problems={2: NAME}
    )


@pytest.mark.parametrize("form", FORMATS)
def test_no_form_holds_anything_that_gives_orders_to_a_terminal(
    hostile: list[AggregatedRow], form: str
) -> None:
    text = render(build_table(hostile), form)
    assert visible(text) == text
    assert "x1b[2J" in text or "u001b[2J" in text or "x1b{[}2J" in text


def test_a_name_is_one_line_on_the_screen_and_in_markdown(hostile: list[AggregatedRow]) -> None:
    screen, markdown = (render(build_table(hostile), form) for form in ("screen", "markdown"))
    for text in (screen, markdown):
        assert not re.search(r"^# .?\$", text, re.MULTILINE)


def test_markdown_shows_no_html_link_image_or_new_column_of_a_name(hostile: list[AggregatedRow]) -> None:
    text = render(build_table(hostile), "markdown")
    outside_code = re.sub(r"(?<!\\)`[^`]*`", "", text)
    assert "<" not in outside_code
    assert not re.search(r"(?<!\\)\[i", outside_code)
    header, _, row = text[text.index("| Method") :].splitlines()[:3]
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"(?<!\\)\|", header))


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attributes)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_page_has_no_tag_of_a_name(hostile: list[AggregatedRow]) -> None:
    experiment = {
        "name": NAME, "dataset": NAME, "preset": NAME, "selection_rule": NAME, "command": NAME,
        "config": {NAME: NAME}, "rows": [],
        "studies": [{"name": NAME, "objective": NAME, "winner": 0, "trials": [
            {"number": 0, "state": NAME, "params": {NAME: NAME}, "score": None, "folds": 0, "reason": NAME}
        ]}],
    }  # fmt: skip
    page = report_html(experiment, build_table(hostile), {}, {NAME: NAME})
    tags = Tags()
    tags.feed(page)
    assert not tags.seen & {"img", "script", "a"}
    assert visible(page) == page
    assert "<img src=http://a.b/c onerror=alert(1)>" in tags.text


def test_json_and_csv_hold_the_names_themselves(hostile: list[AggregatedRow]) -> None:
    document = json.loads(render(build_table(hostile), "json"))
    assert document["sections"][0]["rows"][0]["title"] == NAME
    lines = list(csv.DictReader(io.StringIO(render(build_table(hostile), "csv", ["classes"]))))
    assert original_text(lines[0]["experiment"]) == NAME
    assert original_text(lines[0]["class"]) == f"{NAME}anger"


def test_latex_has_no_command_of_a_name(hostile: list[AggregatedRow]) -> None:
    text = render(build_table(hostile), "latex")
    assert r"\frac" not in text
    assert text.isascii()


def test_a_figure_draws_a_wrong_formula_as_text(tmp_path: Path) -> None:
    import numpy as np

    save_figure(mask_figure(np.zeros((1, 4, 4), np.uint8), ["$\\frac{$"], "$x^{$"), tmp_path / "masks.png")
    assert (tmp_path / "masks.png").stat().st_size > 0


def test_harmless_objects_stay_the_same_objects_and_the_best_row_stays_the_best() -> None:
    score = ClassScore(name="anger", true_count=1, predicted_count=1, precision=1.0, recall=1.0, f1=1.0)
    assert displayable(score) is score
    bad = dataclasses.replace(score, name="a\x1b")
    rows, best, names = displayable(([bad, score], bad, {"k\n": (bad,)}))
    assert rows[0] is best is names["k\\n"][0]
    assert rows[0].name == "a\\x1b"
    assert rows[1] is score
