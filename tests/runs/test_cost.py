from __future__ import annotations

import pytest

from datasets.folds.rules import Fold
from platform.config.configuration import configuration_of
from platform.runs.cost import (
    GENERATOR_BLOCK_SHARE,
    GFLOP_A_SECOND_AND_CORE,
    OVERHEAD_GFLOP,
    Pace,
)
from platform.runs.tasks import FoldTask, Machine, fold_task
from tests.tiny_faces import fake_data

IMAGES = 10
FOLD = Fold(index=0, train_subjects=("A",), test_subjects=("B",))


def task(**changes: object) -> FoldTask:
    return fold_task(
        configuration_of(**changes),  # type: ignore[arg-type]
        fake_data(), FOLD, fold_rule="paper", part=None, validation_subjects=None, machine=Machine(),
        images_of_subject={"A": IMAGES},
    )  # fmt: skip


def test_the_published_sizes_cost_what_was_counted() -> None:
    """227 GFLOP per image in stage 1 (runs/cost.py); stage 2 adds three forward passes of Inception."""
    made = task()
    assert made.stage1 is not None
    assert made.stage1.gflop == pytest.approx(IMAGES * 300 * (227 + OVERHEAD_GFLOP))
    assert made.gflop == pytest.approx(IMAGES * 200 * (227 + 3 * 5.71 + OVERHEAD_GFLOP))


def test_the_baseline_costs_its_backbone_only() -> None:
    made = task(method="cnn", backbone="resnet18", image_size_pixels=224, weights="none")
    assert made.gflop == pytest.approx(IMAGES * 200 * (3 * 1.81 + OVERHEAD_GFLOP))


def test_cost_goes_with_the_square_of_size_and_widths_and_with_the_enlarged_face() -> None:
    whole = task(method="cnn", backbone="resnet18", image_size_pixels=224, weights="none")
    narrow = task(
        method="cnn", backbone="resnet18", image_size_pixels=56, enlarge_below_pixels=112, weights="none",
        backbone_width=0.5,
    )  # fmt: skip
    arithmetic = [made.gflop / IMAGES / 200 - OVERHEAD_GFLOP for made in (whole, narrow)]
    assert arithmetic[0] == pytest.approx(16 * arithmetic[1])


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


def test_the_share_of_a_residual_block_is_what_a_counter_says() -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from platform.models.networks.mask_generator import MaskGenerator

    counts = []
    for blocks in (4, 5):
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            MaskGenerator(64, blocks).eval()(torch.zeros(1, 1, 299, 299))
        counts.append(counter.get_total_flops())
    assert (counts[1] - counts[0]) / counts[0] == pytest.approx(GENERATOR_BLOCK_SHARE, abs=2e-3)
    four, six = (task(generator_blocks=blocks).stage1 for blocks in (4, 6))
    assert four is not None
    assert six is not None
    assert six.gflop / four.gflop == pytest.approx(1 + 2 * GENERATOR_BLOCK_SHARE, rel=1e-2)
