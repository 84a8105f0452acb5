"""Players take their turns in order, and each moves only what is its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from platform.errors import UserError
from platform.models.player import OptimizerSettings
from platform.training.checkpoint import Checkpoints
from platform.training.health import DivergedError, TooLargeBatchError
from tests.training.two_players import Game, judge_loss, maker_loss, play, players


def test_two_steps_of_two_players_by_hand() -> None:
    """m = 1, j = 2. The judge minimises j m at rate 0.5, then the maker -j m at rate 0.1.

    Step 1: j = 2 - 0.5 * 1 = 1.5; with that, m = 1 + 0.1 * 1.5 = 1.15.
    Step 2: j = 1.5 - 0.5 * 1.15 = 0.925; m = 1.15 + 0.1 * 0.925 = 1.2425.
    """
    game = Game()
    curve = play(game, players(game))
    assert game.judge.weight.item() == pytest.approx(0.925)
    assert game.maker.weight.item() == pytest.approx(1.2425)
    assert [epoch["judge_loss"] for epoch in curve] == pytest.approx([2.0, 1.5 * 1.15])
    assert [epoch["maker_loss"] for epoch in curve] == pytest.approx([-1.5, -0.925 * 1.15])
    assert [epoch["judge_gradient_norm"] for epoch in curve] == pytest.approx([1.0, 1.15])
    assert [epoch["maker_gradient_norm"] for epoch in curve] == pytest.approx([1.5, 0.925])


def test_curves_name_the_player_before_each_scalar() -> None:
    game = Game()
    assert set(play(game, players(game))[0]) == {
        "epoch", "images_per_second",
        "judge_loss", "judge_product", "judge_gradient_norm", "judge_learning_rate",
        "maker_loss", "maker_gradient_norm", "maker_learning_rate", "maker_learning_rate_net",
    }  # fmt: skip


def test_a_named_player_alone_needs_no_prefix() -> None:
    game = Game()
    assert set(play(game, players(game)[:1])[0]) == {
        "epoch", "loss", "product", "gradient_norm", "learning_rate", "images_per_second",
    }  # fmt: skip


def test_the_order_of_the_players_is_the_order_of_their_turns() -> None:
    """The maker first: m = 1 + 0.1 * 2 = 1.2, and with that j = 2 - 0.5 * 1.2 = 1.4."""
    game = Game()
    play(game, players(game)[::-1], constant_epochs=1)
    assert game.maker.weight.item() == pytest.approx(1.2)
    assert game.judge.weight.item() == pytest.approx(1.4)


def test_in_a_turn_the_others_get_no_gradient() -> None:
    """After the judge's turn the maker still has the gradient of its own, -j = -2."""
    game = Game()
    play(game, players(game)[::-1], constant_epochs=1)
    assert game.maker.weight.grad == -2


def test_a_player_may_have_an_optimizer_of_its_own() -> None:
    """Adam's first step has the length of the rate, whatever the gradient."""
    game = Game()
    own = OptimizerSettings(optimizer="adam", betas=(0.5, 0.999), amsgrad=True)
    play(game, players(game, optimizer=own), constant_epochs=1)
    assert game.judge.weight.item() == pytest.approx(1.5)
    assert game.maker.weight.item() == pytest.approx(1.1)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_parameters_that_get_no_gradient_stay_as_they_are(optimizer: Any) -> None:
    """Weight decay and momentum too leave them alone, as one worker and as several (test_workers.py)."""
    game = Game()
    before = {name: value.clone() for name, value in game.unused.state_dict().items()}
    changes = {"momentum": 0.9} if optimizer == "sgd" else {}
    play(game, players(game), optimizer=optimizer, weight_decay=0.5, constant_epochs=3, **changes)
    assert all(torch.equal(game.unused.state_dict()[name], value) for name, value in before.items())


def test_the_moving_average_takes_in_one_step_per_batch() -> None:
    """Of m = 1.15, then 1.2425, under the decays 1/10 and 2/11."""
    game = Game()
    play(game, players(game), ema_decay=0.9)
    first = 0.1 * 1 + 0.9 * 1.15
    assert game.maker.weight.item() == pytest.approx((2 * first + 9 * 1.2425) / 11)


class Stopped(Exception):
    """What a test kills a training with."""


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("ema_decay", [0.0, 0.5])
def test_two_players_go_on_as_if_never_stopped(tmp_path: Path, after: int, ema_decay: float) -> None:
    """Bit for bit, with dropout, a part that never gets a gradient, Adam and SGD with momentum."""

    def run(checkpoints: Checkpoints | None, stop_after: int = 99) -> tuple[Any, Any]:
        def report(values: dict[str, Any]) -> None:
            if values["epoch"] > stop_after:
                raise Stopped

        game = Game(noise=0.5)
        own = OptimizerSettings(optimizer="sgd", betas=(0.5, 0.999), momentum=0.9)
        curve = play(
            game, players(game, optimizer=own), count=10, report=report, checkpoints=checkpoints,
            constant_epochs=2, decay_epochs=2, optimizer="adam", schedule="paper", ema_decay=ema_decay,
        )  # fmt: skip
        shown = [{k: v for k, v in epoch.items() if k != "images_per_second"} for epoch in curve]
        return shown, {name: value.tolist() for name, value in game.state_dict().items()}

    checkpoints = Checkpoints(folder=tmp_path, every_epochs=1, at_end=True)
    uninterrupted = run(None)
    with pytest.raises(Stopped):
        run(checkpoints, after)
    assert run(checkpoints) == uninterrupted
    assert run(checkpoints) == uninterrupted  # from the stage's end: nothing trains


def test_a_player_whose_loss_is_not_finite_is_named() -> None:
    def broken(module: nn.Module, batch: Tensor) -> dict[str, Tensor]:
        return {"loss": module.get_submodule("maker").get_parameter("weight").sum() * float("inf")}

    game = Game()
    message = r"^the loss of maker is inf in batch 1 of epoch 1 of game \(learning rates: net 0\.1\)"
    with pytest.raises(DivergedError, match=message):
        play(game, players(game, maker=broken))


def test_the_largest_batch_is_one_that_every_player_has_memory_for() -> None:
    def hungry(module: nn.Module, batch: Tensor) -> dict[str, Tensor]:
        if len(batch) > 1:
            raise MemoryError
        return maker_loss(module, batch)

    game = Game()
    with pytest.raises(TooLargeBatchError, match=r"with a batch of 4 items; .* found to fit is 1"):
        play(game, players(game, maker=hungry))


@pytest.mark.parametrize(
    ("returned", "fault"),
    [
        (lambda value: value, "but it returned a Tensor; return"),
        (lambda value: {"cost": value}, "but it returned cost; add 'loss'"),
        (lambda value: {}, "but it returned nothing; add 'loss'"),
        (lambda value: {"loss": value.expand(3)}, r"but 'loss' has the shape \[3\]; return its mean"),
        (lambda value: {"loss": value, "term": value.expand(1, 2)}, r"but 'term' has the shape \[1, 2\]"),
    ],
)
def test_a_loss_that_is_no_dictionary_of_scalars_is_told_what_it_lacks(returned: Any, fault: str) -> None:
    game = Game()

    def loss(module: nn.Module, batch: Tensor) -> Any:
        return returned(judge_loss(module, batch)["loss"])

    with pytest.raises(UserError, match=f"the loss of judge in game must return a dictionary .*{fault}"):
        play(game, players(game, judge=loss))
