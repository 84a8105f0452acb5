from __future__ import annotations

import pytest
import torch

from platform.training.schedule import Schedule, learning_rate_factor


@pytest.mark.parametrize(
    ("constant", "decay", "factors"),
    [
        # docs/methods.md, §2.6: 1 - max(0, E + 1 - constant) / (decay + 1)
        (3, 2, [1, 1, 2 / 3, 1 / 3, 0]),
        (2, 3, [1, 3 / 4, 2 / 4, 1 / 4, 0]),
        (1, 1, [1 / 2, 0]),
        (2, 0, [1, 0]),
        (1, 0, [0]),
        (0, 3, [2 / 4, 1 / 4, 0]),
    ],
)
def test_factors_by_hand(constant: int, decay: int, factors: list[float]) -> None:
    found = [
        learning_rate_factor(epoch, constant_epochs=constant, decay_epochs=decay)
        for epoch in range(1, constant + decay + 1)
    ]
    assert found == pytest.approx(factors, abs=1e-15)


@pytest.mark.parametrize(("constant", "decay"), [(150, 150), (100, 100)])
def test_the_published_stages_decay_from_the_last_constant_epoch_to_exactly_zero(
    constant: int, decay: int
) -> None:
    def factor(epoch: int) -> float:
        return learning_rate_factor(epoch, constant_epochs=constant, decay_epochs=decay)

    assert factor(constant - 1) == 1
    assert factor(constant) == 1 - 1 / (decay + 1)
    assert factor(constant + decay - 1) == pytest.approx(1 / (decay + 1))
    assert factor(constant + decay) == 0  # exactly: not one step is taken in the last epoch


def test_the_factor_never_rises_and_stays_in_0_to_1() -> None:
    for constant in range(6):
        for decay in range(6):
            last = constant + decay
            factors = [
                learning_rate_factor(epoch, constant_epochs=constant, decay_epochs=decay)
                for epoch in range(1, last + 1)
            ]
            assert factors == sorted(factors, reverse=True)
            assert all(0 <= factor <= 1 for factor in factors)
            assert not factors or factors[-1] == 0


@pytest.mark.parametrize("epoch", [0, -1, 6])
def test_an_epoch_outside_the_schedule_is_refused(epoch: int) -> None:
    with pytest.raises(ValueError, match=f"epoch must be 1 to 5, but got {epoch}"):
        learning_rate_factor(epoch, constant_epochs=3, decay_epochs=2)


def factors(schedule: Schedule, constant: int, decay: int) -> list[float]:
    return [
        learning_rate_factor(epoch, constant_epochs=constant, decay_epochs=decay, schedule=schedule)
        for epoch in range(1, constant + decay + 1)
    ]


def test_the_default_is_the_papers() -> None:
    assert factors("paper", 3, 2) == [1, 1, 1 - 1 / 3, 1 - 2 / 3, 0]


@pytest.mark.parametrize(
    ("constant", "decay", "expected"),
    [
        # (1 + cos(pi d / decay)) / 2 for d = 0, 1, ...
        (2, 2, [1, 1, 1, 1 / 2]),
        (0, 4, [1, (1 + 0.5**0.5) / 2, 1 / 2, (1 - 0.5**0.5) / 2]),
        (1, 3, [1, 1, 3 / 4, 1 / 4]),
        (3, 0, [1, 1, 1]),
    ],
)
def test_cosine_factors_by_hand(constant: int, decay: int, expected: list[float]) -> None:
    assert factors("cosine", constant, decay) == pytest.approx(expected, abs=1e-12)


def test_cosine_is_torchs_after_the_constant_epochs() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7)
    rates = []
    for _ in range(7):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert factors("cosine", 3, 7)[3:] == pytest.approx(rates)


def test_cosine_never_rises_and_has_no_epoch_at_rate_0() -> None:
    for constant in range(4):
        for decay in range(1, 6):
            found = factors("cosine", constant, decay)
            assert found == sorted(found, reverse=True)
            assert found[0] == 1
            assert found[-1] > 0


def test_constant_is_the_full_rate_in_every_epoch() -> None:
    assert factors("constant", 2, 3) == [1.0] * 5


def step_factors(epochs: int, step_epochs: int, step_factor: float) -> list[float]:
    return [
        learning_rate_factor(
            epoch, constant_epochs=epochs - 2, decay_epochs=2, schedule="step",
            step_epochs=step_epochs, step_factor=step_factor,
        )
        for epoch in range(1, epochs + 1)
    ]  # fmt: skip


def test_step_factors_by_hand() -> None:
    assert step_factors(7, 3, 0.1) == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01])
    assert step_factors(4, 1, 0.5) == [1, 0.5, 0.25, 0.125]
    # FERAtt: times 0.1 every 30 of 60 epochs, the defaults
    assert factors("step", 60, 0) == [1.0] * 30 + [0.1] * 30


def test_step_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.3)
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert step_factors(10, 4, 0.3) == pytest.approx(rates)


def test_a_step_of_no_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match="step_epochs >= 1 must hold, but got 0"):
        step_factors(4, 0, 0.1)
