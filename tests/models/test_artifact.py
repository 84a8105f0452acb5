from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from platform.config.configuration import configuration_of
from platform.errors import UserError
from platform.models.artifact import Artifact, Content, Reach, check_declared, in_order
from platform.models.options.optimisation import LastStage


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


@pytest.mark.parametrize(
    ("changes", "epochs", "message"),
    [
        ({}, 1, ""),
        (
            {"epoch_fields": ("nope",)},
            1,
            "must be options of its groups, but nope is none of",
        ),
        ({"batch_field": "seed", "groups": ()}, 1, "must be options of its groups"),
        ({}, 0, r"stage2_constant_epochs \+ stage2_decay_epochs must be >= 1, but got 0; raise one"),
    ],
)
def test_epochs_and_batches_of_a_stage_are_options_that_reach_it(
    changes: dict[str, Any], epochs: int, message: str
) -> None:
    class Stage(Artifact):
        name, title, trains = "one", "one", True
        groups: ClassVar = (LastStage,)
        epoch_fields = ("stage2_constant_epochs", "stage2_decay_epochs")
        batch_field = "stage2_batch_size"

        def make(self, view: Any, settings: Any, inputs: Any, tools: Any) -> Any: ...

    options = configuration_of("cnn", stage2_decay_epochs=0, stage2_constant_epochs=1)
    object.__setattr__(options, "stage2_constant_epochs", epochs)
    declared = {"one": type("Changed", (Stage,), changes)()}
    with pytest.raises(UserError, match=message) if message else nullcontext():
        check_declared(declared, options)


def test_artifacts_are_a_mapping() -> None:
    with pytest.raises(UserError, match=r"artifacts of .* must return a dict .*, but returned list"):
        check_declared([], configuration_of("cnn"))


def test_an_artifact_is_declared_under_its_own_name() -> None:
    with pytest.raises(UserError, match=r"declared under its own name, .* but got 'other'"):
        in_order({"other": Part(name="one")})
