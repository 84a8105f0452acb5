from __future__ import annotations

import dataclasses

import numpy as np

from platform.aggregation.scores import score
from platform.tables.class_details import MEAN, class_facts, class_grid
from tests.fake_runs import fake_predictions


def test_the_last_line_holds_the_means_over_classes() -> None:
    scores = score(fake_predictions(0.7, 0))
    grid = class_grid(scores, "caption", "Images")
    uar = scores.measures.values["balanced_accuracy"]
    assert uar is not None
    assert uar.interval is not None
    assert grid.rows[-1][0] == MEAN
    assert grid.rows[-1][5:7] == (
        f"{100 * uar.value:.2f}",
        f"{100 * uar.interval.low:.1f}–{100 * uar.interval.high:.1f}",
    )
    assert len(grid.rows) == 8


def test_a_class_without_items_and_one_subject_show_dashes() -> None:
    fold = fake_predictions(0.7, 0, subjects=1)
    kept = (fold.true != "fear") & (fold.predicted != "fear")
    columns = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted", "scores")
    scores = score(dataclasses.replace(fold, **{name: getattr(fold, name)[kept] for name in columns}))
    grid = class_grid(scores, "caption", "Images")
    assert grid.rows[3] == ("fear", "0", "0", *("–",) * 8)
    assert grid.rows[0][2] != "0"
    assert grid.rows[0][6] == "–"  # one subject
    facts = class_facts(scores.measures.classes[3])
    assert set(facts.values()) == {None}
    assert np.isfinite(class_facts(scores.measures.classes[0])["auc"])
