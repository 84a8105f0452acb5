from __future__ import annotations

import numpy as np

from platform.reports.confusion_figure import confusion_figure

COUNTS = ((3, 1), (0, 0))


def test_one_matrix_shows_counts_and_row_rates() -> None:
    figure = confusion_figure({"images": COUNTS}, ("anger", "fear"), "title")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["75 %", "3", "25 %", "1"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["anger (4)", "fear (0)"]
    assert axes.get_ylabel() == "true class (images)"
    np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), [[0.75, 0.25], [0, 0]])


def test_two_votes_stand_side_by_side_under_their_names() -> None:
    votes = {"sequences by mean score": COUNTS, "sequences by majority": ((2, 2), (0, 0))}
    figure = confusion_figure(votes, ("anger", "fear"), "title")
    assert [axes.get_title() for axes in figure.axes[:2]] == list(votes)
    assert figure.axes[0].get_ylabel() == "true class (sequences)"
    assert [text.get_text() for text in figure.axes[1].texts] == ["50", "2", "50", "2"]
