"""Reported rows of several papers: their groups, their notes, and what is compared with them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.tables.formatting import difference_text, reported_difference
from platform.tables.render import FORMATS, render
from platform.tables.reported_notes import reported_notes
from platform.tables.screen import render_screen
from platform.tables.table import build_table
from tests.fake_runs import demo_experiment


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> AggregatedRow:
    """A row of seven classes."""
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    return aggregate_experiment(store, experiment)[0]


def changed(made: AggregatedRow, **change: Any) -> AggregatedRow:
    as_published: dict[str, Any] = {"preset": "paper", "preset_changes": ""}
    return dataclasses.replace(made, row=dataclasses.replace(made.row, **(as_published | change)))


def notes_of(made: AggregatedRow) -> str:
    return "\n".join(reported_notes(build_table([made]).sections[0]))


def test_each_paper_has_its_heading_once_and_in_order(demo: AggregatedRow) -> None:
    text = render(build_table([changed(demo, dataset="ckplus")]), "screen")
    headings = [line for line in text.splitlines() if line.startswith("Reported: ")]
    assert headings == [
        "Reported: FMPN paper, Table I",
        "Reported: FERAtt paper",
        "Reported: DGCN paper",
    ]


def test_the_notes_say_what_is_known_of_each_papers_protocol(demo: AggregatedRow) -> None:
    text = notes_of(changed(demo, dataset="ckplus"))
    for said in (
        "from the FMPN paper (arXiv 1902.08788), Table I; the FERAtt paper (arXiv 1902.03284); the DGCN",
        "FMPN paper, Table I: protocol of the rows that its authors ran: classes: 7; frames: last 3 of each",
        "For rows that the paper quotes, it is not stated.",
        "FERAtt paper: protocol of its rows: classes: 8 (with neutral); frames: unknown; folds: 10",
        "selects on composites of the test subjects: leakage",
        "DGCN paper: protocol of its rows: classes: 7; frames: unknown; folds: unknown.",
        "it reports 40.19 %",
    ):
        assert said in text
    assert "FERAtt" not in notes_of(changed(demo, dataset="mmi"))


@pytest.mark.parametrize(
    ("method", "dataset", "reported"),
    [("dgcn", "ckplus", 97.93), ("feratt", "bu3dfe", 82.11), ("preactresnet18", "bu3dfe", 75.22)],
)
def test_any_method_of_that_name_is_set_against_its_counterpart(
    demo: AggregatedRow, method: str, dataset: str, reported: float
) -> None:
    made = changed(demo, method=method, dataset=dataset)
    assert made.row.scores is not None
    points = f"{100 * made.row.scores.mean_of_folds - reported:+.2f}"
    assert difference_text(made.row) == points
    assert difference_text(dataclasses.replace(made.row, variation="S0R0")) == "–"
    for form in ("screen", "markdown", "latex"):
        assert points in render(build_table([made]), form), form


def test_another_number_of_classes_is_not_compared_and_the_note_says_so(demo: AggregatedRow) -> None:
    made = changed(demo, method="feratt", title="FERAtt", dataset="ckplus")
    assert reported_difference(made.row) is None
    assert (
        "FERAtt: not compared with the reported 90.30 % of FERAtt+Rep+Cls, which has 8 classes (with "
        "neutral); ours has 7."
    ) in notes_of(made)


def test_without_a_counterpart_there_is_no_column_of_differences(demo: AggregatedRow) -> None:
    for dataset, method, shown in (
        ("oulu_casia", "fmpn", False),
        ("oulu_casia", "dgcn", True),
        ("ckplus", "fmpn", True),
    ):
        text = render(build_table([changed(demo, dataset=dataset, method=method)]), "markdown")
        assert ("vs. reported (points)" in text) == shown, (dataset, method)


@pytest.mark.parametrize("form", FORMATS)
def test_rows_on_composites_say_so_in_every_format(demo: AggregatedRow, form: str) -> None:
    text = " ".join(render(build_table([changed(demo, dataset="bu3dfe")]), form).split())
    assert "(on composites)" in text
    assert ("77.90†" in text) or ("77.90$" in text) or ("0.779" in text)


def test_the_brief_table_leaves_rows_on_composites_out(demo: AggregatedRow) -> None:
    text = render_screen(build_table([changed(demo, dataset="bu3dfe")]), brief=True)
    assert "82.11" in text
    assert "77.90" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_precision_recall_and_f1_stand_where_a_paper_prints_them(demo: AggregatedRow) -> None:
    for form in ("markdown", "latex"):
        assert "83.72/82.42/83.06" in render(build_table([changed(demo, dataset="bu3dfe")]), form)
        assert "Reported precision" not in render(build_table([changed(demo, dataset="mmi")]), form)
    (section,) = json.loads(render(build_table([changed(demo, dataset="bu3dfe")]), "json"))["sections"]
    (whole,) = [one for one in section["reported"] if one["title"] == "FERAtt+Rep+Cls"]
    found = [whole[f"reported_{name}"] for name in ("precision", "recall", "f1")]
    assert found == [0.8372, 0.8242, 0.8306]
    assert whole["method"] == "feratt"
