from __future__ import annotations

import dataclasses

import pytest

from platform.evaluation.reported.feratt_paper import RESULTS
from platform.evaluation.reported.result import COMPOSITES, Paper

REAL = RESULTS[0]


def test_a_paper_is_named_with_the_place_in_it_where_that_is_known() -> None:
    paper = Paper(name="X paper", reference="arXiv 1")
    assert (paper.heading, paper.source) == ("X paper", "X paper (arXiv 1)")
    placed = dataclasses.replace(paper, place="Table 2")
    assert (placed.heading, placed.source) == ("X paper, Table 2", "X paper (arXiv 1), Table 2")


def test_numbers_on_composites_say_so_and_have_no_method_to_compare_with() -> None:
    composites = dataclasses.replace(REAL, our_method=None, test_items=COMPOSITES)
    assert (REAL.title, composites.title) == ("PreActResNet18", "PreActResNet18 (on composites)")
    with pytest.raises(ValueError, match="not compared with any method"):
        dataclasses.replace(REAL, test_items=COMPOSITES)


def test_an_unstated_number_of_classes_means_an_unknown_protocol() -> None:
    quoted = dataclasses.replace(REAL, class_count=None)
    assert (quoted.classes, quoted.protocol_known) == ("not stated", False)
    assert (REAL.classes, REAL.protocol_known) == ("8 (with neutral)", True)
