from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.reports.front_figure import front_figure
from platform.reports.publish import present
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_study, write_experiment, write_row


def study(*others: str) -> dict[str, Any]:
    """Trial 5 is the most accurate, trial 0 the smallest; 1 and 2 are beaten, 3 was pruned, 4 failed."""
    made = fake_study()
    sizes = {0: 1e5, 1: 9e5, 2: 8e5, 5: 7e5}
    for trial in made["trials"]:
        values = {"accuracy": trial["score"], "parameters": sizes.get(trial["number"]), "macro_f1": 0.5}
        complete = trial["state"] == "COMPLETE"
        trial["values"] = {name: values[name] for name in ("accuracy", *others)} if complete else {}
    return {**made, "objectives": ["accuracy", *others], "front": [5, 0], "winner": 5}


def test_the_front_is_joined_named_and_the_chosen_one_marked() -> None:
    figure = front_figure(study("parameters"))
    (axes,) = figure.axes
    assert sorted(text.get_text() for text in axes.texts) == ["trial 0", "trial 5 (chosen)"]
    assert len(axes.collections) == 4  # complete trials only
    (line,) = axes.lines
    assert list(line.get_xdata()) == [1e5, 7e5]
    assert list(line.get_ydata()) == pytest.approx([41.0, 57.0])
    assert axes.get_xlabel() == "parameters: less is better"


def test_three_objectives_make_two_panels() -> None:
    figure = front_figure(study("parameters", "macro_f1"))
    assert len(figure.axes) == 2
    assert not any(axes.lines for axes in figure.axes)  # a front in three dimensions is no line in two


def test_it_stands_with_the_experiments_figures(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    experiment = write_experiment(store, [write_row(store, folds=2)], study=study("parameters"))
    written = present(store, experiment).figures["Search: accuracy against the other objectives"]
    assert written.read_bytes().startswith(b"\x89PNG")
    assert written.name == "study-front.png"
