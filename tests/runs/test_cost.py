from __future__ import annotations

import pytest

from datasets.folds.rules import Fold
from platform.config.configuration import configuration_of, replace
from platform.errors import UserError
from platform.runs.cost import GFLOP_A_SECOND_AND_CORE, OVERHEAD_GFLOP, Pace, costs_of
from platform.runs.planned_tasks import Machine, fold_task
from platform.runs.tasks import FoldTask
from tests.tiny_faces import fake_data, tiny_configuration, tiny_settings

IMAGES = 10
FOLD = Fold(index=0, train_subjects=("A",), test_subjects=("B",))


def task(**changes: object) -> FoldTask:
    return fold_task(
        configuration_of(**changes),  # type: ignore[arg-type]
        fake_data(), FOLD, fold_rule="paper", part=None, validation_subjects=None, machine=Machine(),
        images_of_subject={"A": IMAGES},
    )  # fmt: skip


def test_the_published_sizes_cost_what_was_counted() -> None:
    made = task()
    assert made.artifacts["stage1"].gflop == pytest.approx(IMAGES * 300 * (227.2 + OVERHEAD_GFLOP), rel=1e-3)
    assert made.gflop == pytest.approx(IMAGES * 200 * (261.6 + OVERHEAD_GFLOP), rel=1e-3)


def test_cost_goes_with_the_square_of_size_and_widths_and_with_the_enlarged_face() -> None:
    whole = task(method="cnn", backbone="resnet18", image_size_pixels=224, weights="none")
    narrow = task(
        method="cnn", backbone="resnet18", image_size_pixels=56, enlarge_below_pixels=112, weights="none",
        backbone_width=0.5,
    )  # fmt: skip
    # Not exactly: the first convolution has three input channels at any width.
    arithmetic = [made.gflop / IMAGES / 200 - OVERHEAD_GFLOP for made in (whole, narrow)]
    assert arithmetic[0] == pytest.approx(16 * arithmetic[1], rel=0.15)


def test_the_configurations_of_fold_runs_cost_what_their_tasks_cost() -> None:
    configuration = tiny_configuration()
    assert costs_of(configuration, 3) == task(**tiny_settings()).costs
    with pytest.raises(UserError, match="vgg16 needs images of at least 32 px, but gets 31"):
        costs_of(replace(configuration, backbone="vgg16", image_size_pixels=31), 3)


def test_a_pace_is_assumed_then_learned_by_key_then_by_all() -> None:
    pace = Pace(cores=2)
    assert pace.seconds("a", 100) == pytest.approx(100 / (GFLOP_A_SECOND_AND_CORE * 2))
    pace.learn("a", 10, 5)
    assert pace.seconds("a", 100) == pytest.approx(50)
    assert pace.seconds("new", 100) == pytest.approx(50)
    pace.learn("b", 30, 75)  # all: 40 GFLOP in 80 s
    assert pace.seconds("a", 100) == pytest.approx(50)
    assert pace.seconds("b", 100) == pytest.approx(250)
    assert pace.seconds("new", 100) == pytest.approx(200)
    pace.learn("a", 10, 15)  # a: 20 GFLOP in 20 s
    assert pace.seconds("a", 100) == pytest.approx(100)
