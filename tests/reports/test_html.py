from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.host.launcher import pasteable
from platform.reports.html import report_html
from platform.runs.store import ResultsStore
from platform.tables.table import build_table
from tests.fake_runs import COMMAND, demo_experiment, fake_study, png_bytes, write_experiment, write_row

VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """Checks that tags nest, and collects them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("runs")
    store, experiment = demo_experiment(folder)
    experiment["rows"][1]["title"] = "<script>alert(1)</script>"
    experiment["config"] = {"loss": {"lambda_mask": 10.0}, "note": "a & b"}
    picture = folder / "faces.png"
    picture.write_bytes(png_bytes(np.zeros((2, 2, 3), dtype=np.uint8)))
    table = build_table(aggregate_experiment(store, experiment))
    return report_html(
        experiment,
        table,
        {'Faces "1" <b>': picture},
        {"See it": "python -m x --logdir '<b>'"},
        provenance={"host": "<node7>"},
    )


def test_the_page_is_well_formed_and_loads_nothing_from_elsewhere(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.links
    assert all(link.startswith("data:image/png;base64,") for link in outline.links)
    assert not re.search(r"https?://|url\(|@import", page)


def test_everything_that_came_from_files_is_escaped(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert "script" not in outline.seen
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a &amp; b" in page
    assert "<h2>Provenance</h2>" in page
    assert "&lt;node7&gt;" in page
    assert "On others the last bits differ" in page
    assert "--logdir &#x27;&lt;b&gt;&#x27;" in page
    assert 'alt="Faces &quot;1&quot; &lt;b&gt;"' in page


def test_table_trials_configuration_and_commands_are_on_it(page: str) -> None:
    for text in (
        pasteable(COMMAND),
        "FMPN",
        "Chance level",
        "inception_v3",
        "pruned",
        "loss.lambda_mask",
        "python -m x",
    ):
        assert text in page


def test_trials_are_ranked_by_score_with_the_failed_ones_last(page: str) -> None:
    study = page[page.index("<h2>Search</h2>") : page.index("<h2>Configuration</h2>")]
    assert re.findall(r'<tr><td class="left">(\d)</td>', study) == ["5", "1", "2", "0", "3", "4"]


def test_folds_and_classes_are_folded_away_below_the_table(page: str) -> None:
    assert "<summary>Accuracy % of each fold on synthetic (images tested)</summary>" in page
    assert "<summary>Each class: FMPN (resnet18) of tune-synthetic-quick on synthetic" in page
    assert "<summary>Calibration on synthetic, by the class scores" in page
    assert "<summary>Reliability: FMPN (resnet18) of tune-synthetic-quick on synthetic" in page
    assert page.count("<details>") == page.count("</details>") == 2 + 4 + 2 + 4


def test_a_page_of_a_leaking_experiment_says_so_at_its_head_and_in_its_row(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = [write_row(store, folds=2, selection_rule="test")]
    experiment = write_experiment(store, rows, selection_rule="test")
    page = report_html(experiment, build_table(aggregate_experiment(store, experiment)), {}, {})
    assert "selected by test (selected on the test folds: leakage)</p>" in page
    assert '<li class="warning">Selected by `test`: selected on the test folds: leakage.' in page
    assert "FMPN (selected on<br>the test folds:<br>leakage)" in page


def test_a_study_says_what_it_searched_where_it_is_known(tmp_path: Path, page: str) -> None:
    assert "Study study-1: 6 trials. Score: " in page
    store, experiment = demo_experiment(tmp_path)
    of_cnn = {**fake_study(), "name": "study-1-cnn", "method": "cnn", "space": "baseline"}
    experiment |= {"study": None, "studies": [fake_study(), of_cnn]}
    made = report_html(experiment, build_table(aggregate_experiment(store, experiment)), {}, {})
    assert "Study study-1: 6 trials. Score: " in made
    assert "Study study-1-cnn of cnn over the space baseline: 6 trials. Score: " in made
