"""Which frames of a sequence are wanted: the rule's, the list's, the neutral one and the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.frame_selection import check_all_found, wanted_frames
from datasets.records import FrameRecord
from platform.errors import UserError

FRAMES = [1, 2, 3, 4, 5, 6]


def wanted(choices: Choices = ALL_BY_THE_RULE, neutral: int = 1, with_neutral: bool = True) -> dict[int, str]:
    return dict(wanted_frames("S001_001", FRAMES, [4, 5, 6], neutral, choices, with_neutral))


def test_the_rule_takes_its_frames_and_the_neutral_one() -> None:
    assert wanted() == {1: "neutral", 4: "expressive", 5: "expressive", 6: "expressive"}
    assert wanted(with_neutral=False) == {4: "expressive", 5: "expressive", 6: "expressive"}


def test_a_list_replaces_the_rule() -> None:
    choices = Choices(frames=frozenset({("S001_001", 3), ("S002_001", 6)}))
    assert wanted(choices) == {1: "neutral", 3: "expressive"}


def test_whole_sequences_bring_the_other_frames_as_context() -> None:
    found = wanted(Choices(whole_sequences=True), with_neutral=False)
    assert found == {1: "context", 2: "context", 3: "context", **dict.fromkeys((4, 5, 6), "expressive")}


def test_a_neutral_frame_that_is_also_expressive_is_refused() -> None:
    with pytest.raises(UserError, match="frame 4 of S001_001 is its neutral face, but is wanted as"):
        wanted(neutral=4)


def test_a_listed_frame_that_is_not_there_is_named() -> None:
    choices = Choices(frames=frozenset({("S001_001", 3)}))
    with pytest.raises(UserError, match=r"1 of the 1 listed frames .*S001_001_00000003"):
        check_all_found(choices, [], Path("faces"), BadItems())


def test_choices_without_meaning_are_refused_by_their_flag() -> None:
    Choices(draw_seed=0).refuse("CK+", "draw_seed", "per_class")
    with pytest.raises(UserError, match="--per-class has no meaning for CK"):
        Choices(per_class=3).refuse("CK+", "draw_seed", "per_class")


def test_listed_frames_that_are_bad_may_be_left_out_but_not_all_of_them() -> None:
    choices, bad = Choices(frames=frozenset({("S001_001", 3), ("S001_001", 4)})), BadItems(skip=True)
    with pytest.raises(UserError, match="2 of the 2 listed frames"):
        check_all_found(choices, [], Path("faces"), bad)
    found = FrameRecord(
        subject_id="S001", sequence_id="S001_001", frame=4, expression="anger", role="expressive",
        source="x.png", landmarks=None,
    )  # fmt: skip
    check_all_found(choices, [found], Path("faces"), bad)
    assert [item for item, _ in bad.left_out] == ["S001_001_00000003"]
