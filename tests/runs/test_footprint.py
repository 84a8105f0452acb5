from __future__ import annotations

import pytest

from platform.runs.footprint import MIB, footprint, gibibytes
from tests.runs.test_cost import task

GIB = 2**30


@pytest.mark.parametrize(
    ("precision", "stage1_gib", "stage2_gib"), [("fp32", 10.7, 7.4), ("bf16", 5.8, None)]
)
def test_the_paper_s_size_takes_what_was_measured(
    precision: str, stage1_gib: float, stage2_gib: float | None
) -> None:
    """docs/performance.md: peaks of a process that trains."""
    made = task(precision=precision)
    assert footprint(made.artifacts["stage1"]).memory / GIB == pytest.approx(stage1_gib, rel=0.06)
    if stage2_gib:
        assert footprint(made).memory / GIB == pytest.approx(stage2_gib, rel=0.06)


def test_activations_go_with_batch_width_and_the_square_of_the_side() -> None:
    whole = task(method="cnn", backbone="resnet18", image_size_pixels=224, weights="none")
    quarter = task(method="cnn", backbone="resnet18", image_size_pixels=112, weights="none")
    narrow = task(
        method="cnn", backbone="resnet18", image_size_pixels=224, weights="none", backbone_width=0.5
    )
    few = task(method="cnn", backbone="resnet18", image_size_pixels=224, weights="none", stage2_batch_size=8)
    parameters = 16 * whole.costs.parameters
    activations = footprint(whole).least_memory - parameters
    assert activations == pytest.approx(16 * 21.2 * MIB, rel=0.01)
    assert footprint(quarter).least_memory - parameters == pytest.approx(activations / 4, rel=0.03)
    assert footprint(few).least_memory - parameters == pytest.approx(activations / 2)
    assert narrow.costs.parameters == pytest.approx(whole.costs.parameters / 4, rel=0.01)
    assert footprint(narrow).least_memory - 16 * narrow.costs.parameters == pytest.approx(
        activations / 2, rel=0.03
    )


def test_frozen_parameters_have_no_gradient_and_no_moments() -> None:
    changes = {"method": "cnn", "backbone": "resnet18", "weights": "none", "image_size_pixels": 64}
    trained = task(**changes)
    frozen = task(**changes)
    frozen.record["config"]["freeze_backbone"] = True
    assert footprint(frozen).least_memory < footprint(trained).least_memory / 3
    assert footprint(frozen).checkpoints == pytest.approx(footprint(trained).checkpoints / 3, rel=0.01)
    assert footprint(frozen).result == footprint(trained).result


def test_only_final_runs_keep_weights_unless_told_otherwise() -> None:
    final = task(method="cnn", backbone="resnet18", weights="none")
    kept, dropped = footprint(final), footprint(final, keep_weights=False)
    assert kept.result - dropped.result == pytest.approx(4 * final.costs.parameters)
    assert kept.checkpoints == dropped.checkpoints > 0
    assert kept.memory > kept.least_memory


@pytest.mark.parametrize(("count", "text"), [(35 * MIB, "35 MiB"), (10.74 * GIB, "10.7 GiB")])
def test_sizes_read_well(count: float, text: str) -> None:
    assert gibibytes(count) == text
