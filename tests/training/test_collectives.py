"""Losses that couple the items of a batch: two workers have the gradient of one with the whole batch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from platform.training.collectives import gathered, summed_over_workers
from platform.training.workers import ALONE
from tests.training.coupled_team import train


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two real processes found."""
    folder, root = tmp_path_factory.mktemp("team"), Path(__file__).resolve().parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.coupled_team", str(folder), str(rank), "2"], cwd=root
        )
        for rank in range(2)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def test_two_workers_train_two_players_with_coupled_losses_as_one(team: list[dict[str, Any]]) -> None:
    """A part that no loss uses stays as it was: weight decay does not reach it either."""
    curve, state = train(ALONE)
    for found in team:
        other_curve, other_state = found["trained"]
        for epoch, other in zip(curve, other_curve, strict=True):
            assert epoch.keys() == other.keys()
            for name in epoch.keys() - {"images_per_second"}:
                assert other[name] == pytest.approx(epoch[name], rel=1e-6), name
        for name, value in state.items():
            torch.testing.assert_close(other_state[name], value, rtol=1e-6, atol=1e-6)
    assert torch.equal(team[1]["trained"][1]["unused.weight"], state["unused.weight"])


def test_gathered_rows_are_those_of_the_batch_in_its_order(team: list[dict[str, Any]]) -> None:
    rows = torch.arange(10.0).reshape(5, 2)
    for found in team:
        assert torch.equal(found["gathered"][0], rows)
        assert torch.equal(found["gathered"][1], rows[:, 0].long())


def test_gradients_are_summed_and_one_that_nobody_has_stays_missing(team: list[dict[str, Any]]) -> None:
    for found in team:
        both, second, nobody, other_type = found["summed"]
        assert torch.equal(both, torch.arange(16.0).reshape(2, 2, 2, 2) * 3)
        assert torch.equal(second, torch.full((3,), 2.0))
        assert nobody is None
        assert torch.equal(other_type, torch.full((2,), 3.0, dtype=torch.float64))


def test_alone_each_returns_what_it_is_given() -> None:
    values = torch.ones(3, requires_grad=True)
    assert gathered(values) is values
    assert summed_over_workers(values) is values
