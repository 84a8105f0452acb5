"""Tasks that travel: small at AffectNet's size, and whole again where they arrive."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from datasets.folds.rules import Fold
from platform.distributed.travel import MARK, lists_of, with_lists, without_lists
from platform.models.costs.facts import NOT_COUNTED
from platform.runs.planned_tasks import Machine, fold_task
from platform.runs.tasks import FoldTask, below
from tests.tiny_faces import fake_data, tiny_configuration

AFFECTNET_SUBJECTS = 290_000
"""One for each image: nobody knows who is in it."""
TRAVELLING_BYTES = 20_000


def task(subjects: int, method: str = "fmpn", *, inner: bool = True) -> FoldTask:
    names = tuple(f"image-{number:06d}" for number in range(subjects))
    fold = Fold(index=0, train_subjects=names[subjects // 10 :], test_subjects=names[: subjects // 10])
    return fold_task(
        tiny_configuration(method=method),
        fake_data(),
        fold,
        fold_rule="paper",
        part=0 if inner else None,
        validation_subjects=fold.train_subjects[::5] if inner else None,
        machine=Machine(),
        images_of_subject=dict.fromkeys(names, 1),
    )


@pytest.mark.parametrize("method", ["fmpn", "cnn"])
def test_a_task_of_affectnets_size_travels_in_less_than_20_kb(method: str) -> None:
    made = task(AFFECTNET_SUBJECTS, method)
    (light,), lists = without_lists([made])
    for travels in (light, *light.artifacts.values()):
        assert len(pickle.dumps(travels)) < TRAVELLING_BYTES
    assert set(lists.values()) == {made.train_subjects, made.evaluation_subjects}
    arrived = with_lists(pickle.loads(pickle.dumps(light)), lists)
    assert arrived == made


def test_a_list_that_tasks_share_travels_once_and_short_ones_stay() -> None:
    made, final, short = task(1000), task(1000, inner=False), task(20)
    light, lists = without_lists([made, made, final, short])
    assert len(lists) == 3  # two for training; the test subjects are few enough to stay
    assert light[0] == light[1]
    assert light[3] == short
    assert {name for each in light for name in lists_of(each)} == lists.keys()
    assert lists_of(light[0].artifacts["stage1"]) == lists_of(light[0]) - {
        light[0].evaluation_subjects[0].removeprefix(MARK)
    }
    assert [with_lists(each, lists) for each in light] == [made, made, final, short]


def test_what_artifacts_rest_on_at_any_depth_travels_without_its_lists_too() -> None:
    made = task(500)
    (light,), _ = without_lists([made])
    assert below(light).keys() == below(made).keys()
    assert all(one.train_subjects[0].startswith(MARK) for one in below(light).values())


def test_counted_costs_travel_along() -> None:
    made = task(500, "cnn")
    vars(made)["costs"] = NOT_COUNTED
    (light,), lists = without_lists([made])
    assert vars(with_lists(light, lists))["costs"] is NOT_COUNTED


def test_a_list_that_arrives_changed_is_refused() -> None:
    (light,), lists = without_lists([task(500)])
    name = light.train_subjects[0].removeprefix(MARK)
    with pytest.raises(RuntimeError, match="arrived changed"):
        with_lists(light, {**lists, name: lists[name][1:]})
    changed = dataclasses.replace(light, train_subjects=lists[name])
    assert with_lists(changed, lists).train_subjects == lists[name]
