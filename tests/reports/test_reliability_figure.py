from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation.unit_metrics import measures
from platform.reports.reliability_figure import reliability_figure
from tests.evaluation.drawn_items import drawn_items, taken


def test_it_shows_every_bin_that_is_not_empty_with_its_interval() -> None:
    bins = measures(drawn_items(0), "").bins
    figure = reliability_figure(bins, "title", "sequences")
    upper, lower = figure.axes
    diagonal, *whiskers, accuracy = upper.lines
    filled = [one for one in bins if one.bin.count]
    assert np.asarray(accuracy.get_ydata()) == pytest.approx(
        [100 * (one.bin.accuracy or 0.0) for one in filled]
    )
    assert len(whiskers) == sum(one.interval is not None for one in filled)
    assert list(np.asarray(diagonal.get_xdata())) == [0, 100]
    heights = [bar.get_height() for bar in lower.patches]
    assert (len(heights), sum(heights)) == (len(bins), pytest.approx(100))
    assert lower.get_ylabel() == "sequences (%)"
    assert figure.get_suptitle() == "title"


def test_one_subject_has_no_whiskers() -> None:
    items = drawn_items(0)
    figure = reliability_figure(measures(taken(items, items.subject == 0), "").bins, "title")
    assert len(figure.axes[0].lines) == 2


def test_without_a_filled_bin_there_is_no_figure() -> None:
    with pytest.raises(ValueError, match="not empty"):
        reliability_figure((), "title")
