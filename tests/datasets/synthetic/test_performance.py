"""How people act: from exactly neutral to the apex, each in their own way."""

from __future__ import annotations

import pytest

from datasets.synthetic.performance import (
    EXPRESSIONS,
    PROTOTYPES,
    perform,
    perform_single_units,
    progress_of_frame,
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_sequence_runs_from_exactly_neutral_to_its_apex(expression: str) -> None:
    acting = perform(0, 4, expression, 0.5)
    assert acting.units(progress_of_frame(0, 6)) == {}
    assert acting.units(progress_of_frame(5, 6)) == acting.apex


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_unit_only_grows_on_the_way_to_the_apex(expression: str) -> None:
    acting = perform(0, 4, expression, 0.5)
    for number in acting.apex:
        levels = [acting.units(progress_of_frame(frame, 8)).get(number, (0.0, 0.0))[0] for frame in range(8)]
        assert levels == sorted(levels)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_everyone_shows_the_units_of_the_expression(expression: str) -> None:
    for subject in range(8):
        apex = perform(0, subject, expression, 0.5).apex
        assert PROTOTYPES[expression].keys() <= apex.keys()
        assert all(0.0 <= level <= 1.15 for sides in apex.values() for level in sides)


def test_contempt_is_one_sided_and_people_differ_in_the_side() -> None:
    sides = set()
    for subject in range(12):
        left, right = perform(0, subject, "contempt", 0.5).apex[14]
        assert min(left, right) < 0.4 * max(left, right)
        sides.add(left > right)
    assert sides == {True, False}


def test_a_harder_set_is_fainter_and_more_mixed() -> None:
    def strength(difficulty: float) -> float:
        return sum(sum(perform(0, subject, "happiness", difficulty).apex[12]) for subject in range(40))

    assert strength(0.0) > 1.15 * strength(0.5) > 1.15 * 1.15 * strength(1.0)


def test_two_people_show_the_same_expression_differently() -> None:
    assert perform(0, 1, "anger", 0.5) != perform(0, 2, "anger", 0.5)


def test_unlabelled_sequences_show_one_to_three_units() -> None:
    counts = {len(perform_single_units(0, subject).apex) for subject in range(30)}
    assert counts == {1, 2, 3}


@pytest.mark.parametrize("frames", [4, 6, 12])
def test_the_first_frame_is_neutral_and_the_last_three_are_near_the_apex(frames: int) -> None:
    progress = [progress_of_frame(frame, frames) for frame in range(frames)]
    assert progress[0] == 0.0
    assert progress[-1] == 1.0
    assert min(progress[-3:]) >= 0.85
    assert progress == sorted(progress)
