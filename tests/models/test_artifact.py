from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from platform.errors import UserError
from platform.models.artifact import Artifact, Content, Reach, in_order


@dataclass(frozen=True)
class Part(Artifact):
    name: str
    rests_on: tuple[str, ...] = ()
    title = "part"

    def make(self, view: Any, settings: Any, inputs: Mapping[str, Content], tools: Any) -> Content:
        return Content(files={}, facts={})


def parts(**rests_on: str) -> dict[str, Artifact]:
    return {name: Part(name=name, rests_on=tuple(needed.split())) for name, needed in rests_on.items()}


REACH = Reach(
    method={"method": "toy"},
    data={"dataset": "synthetic"},
    train_subjects="s",
    config={"width": 3},
    rests_on={"a": "1234"},
    training={"result_version": 2, "device": "cpu"},
)


def test_each_artifact_comes_after_those_that_it_rests_on() -> None:
    assert in_order(parts(c="b a", b="a", d="", a="")) == ["a", "b", "c", "d"]
    assert in_order({}) == []


@pytest.mark.parametrize(
    ("declared", "cycle"),
    [
        ({"a": "a"}, "a -> a"),
        ({"a": "b", "b": "c", "c": "b"}, "b -> c -> b"),
        ({"x": "", "a": "c x", "b": "a", "c": "b"}, "a -> c -> b -> a"),
    ],
)
def test_a_cycle_is_named(declared: dict[str, str], cycle: str) -> None:
    with pytest.raises(UserError, match=f"cannot rest on itself, but these do: {cycle};"):
        in_order(parts(**declared))


def test_an_artifact_that_nothing_declares_is_named() -> None:
    with pytest.raises(
        UserError, match=r"the artifact b rests on c, which the method does not declare.*a, b"
    ):
        in_order(parts(a="", b="a c"))


def test_a_record_holds_what_reaches_it_and_the_machine_only_if_it_trains() -> None:
    cheap = Part(name="b").record(REACH)
    assert cheap == {
        "kind": "b", "method": "toy", "version": 1, "config": {"width": 3}, "data": {"dataset": "synthetic"},
        "train_subjects": "s", "artifacts": {"a": "1234"},
    }  # fmt: skip

    class Trained(Part):
        trains = True

    assert Trained(name="b").record(REACH) == {**cheap, "result_version": 2, "device": "cpu"}


def test_without_controls_a_control_is_refused() -> None:
    with pytest.raises(UserError, match="part has no controls, but the run asks for its control 'permuted'"):
        Part(name="b").control("permuted", "1234")
