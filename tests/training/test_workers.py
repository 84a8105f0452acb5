"""Several workers with the same global batch: no image twice, the same losses as one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from datasets.augmentation.draw import draw_paper
from platform.training.batch_norm import SynchronisedBatchNorm, synchronised
from platform.training.workers import ALONE, Workers
from tests.training.worker_team import train


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_image_of_a_batch_is_taken_by_exactly_one_worker(count: int) -> None:
    rows = torch.arange(10, 17)
    shares = [Workers(rank=rank, count=count).share(rows) for rank in range(count)]
    assert sorted(torch.cat(shares).tolist()) == rows.tolist()
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_weighted_shares_sum_to_the_mean_of_the_batch() -> None:
    values = torch.tensor([1.0, 5.0, 3.0, 7.0, 4.0])
    teams = [Workers(rank=rank, count=2) for rank in range(2)]
    weighted = [team.share(values).mean() * team.loss_factor(len(team.share(values)), 5) for team in teams]
    assert torch.stack(weighted).sum() == pytest.approx(values.mean())


def test_a_draw_is_shared_as_its_images_are() -> None:
    draw = draw_paper(7, torch.Generator().manual_seed(0))
    for rank in range(2):
        workers = Workers(rank=rank, count=2)
        shared = workers.share_of_draw(draw)
        assert torch.equal(shared.crop, draw.crop[rank::2])
        assert torch.equal(shared.flip, draw.flip[rank::2])
        assert shared.transforms == draw.transforms
        assert shared.seeds is None
        assert torch.equal(workers.share_of_draw(draw.crop), draw.crop[rank::2])
    assert ALONE.share_of_draw(draw) is draw


def run_team(folder: Path, root: Path, count: int, synchronise: bool) -> list[tuple[Any, Any]]:
    """Curve and weights of each of `count` real processes."""
    words = [str(count), "yes" if synchronise else "no"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.worker_team", str(folder), str(rank), *words], cwd=root
        )
        for rank in range(count)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0] * count
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(count)]


def test_two_processes_train_as_one(tmp_path: Path, root: Path) -> None:
    curve, state = train(ALONE, synchronise=False)
    team = run_team(tmp_path, root, count=2, synchronise=True)
    for other_curve, other_state in team:
        for epoch, other in zip(curve, other_curve, strict=True):
            assert other["loss"] == pytest.approx(epoch["loss"], rel=1e-4)
            assert other["training_accuracy"] == pytest.approx(epoch["training_accuracy"])
            assert other["gradient_norm"] == pytest.approx(epoch["gradient_norm"], rel=1e-3)
        assert other_state.keys() == state.keys()
        for name, value in state.items():
            torch.testing.assert_close(other_state[name], value, rtol=1e-3, atol=1e-4)
    for name in state:
        assert torch.equal(team[0][1][name], team[1][1][name])


def test_a_batch_too_small_for_the_workers_is_refused_before_they_wait_for_each_other() -> None:
    with pytest.raises(ValueError, match="each of 99 workers needs an item of every batch"):
        train(Workers(rank=0, count=99), synchronise=False)


def test_without_synchronised_batch_norm_the_result_is_another(tmp_path: Path, root: Path) -> None:
    """So the switch does something, and the test above can fail."""
    curve, _ = train(ALONE, synchronise=False)
    (other, _), _ = run_team(tmp_path, root, count=2, synchronise=False)
    assert abs(other[-1]["loss"] - curve[-1]["loss"]) > 1e-4 * curve[-1]["loss"]


def test_alone_the_synchronised_layer_keeps_the_names_and_evaluates_the_same() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    image = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    before, names = net(image), list(net.state_dict())
    synchronised(net, torch.device("cpu"))
    assert isinstance(net[1], SynchronisedBatchNorm)
    assert list(net.state_dict()) == names
    assert torch.equal(net(image), before)
