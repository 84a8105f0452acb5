from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import optuna
import pytest

from platform.errors import UserError
from platform.search.samplers import (
    MOST_GRID_POINTS,
    QMC_COORDINATES,
    describe_sampler,
    grid_of,
    make_sampler,
    seed_of,
)


def choices(trial: optuna.Trial) -> dict[str, Any]:
    """A space of choices: a net, and a depth that only one net has."""
    net = trial.suggest_categorical("net", ["small", "deep", "wide"])
    found = {"net": net, "pretrained": trial.suggest_categorical("pretrained", [True, False])}
    if net == "deep":
        found["depth"] = trial.suggest_categorical("depth", [18, 50])
    return found


def mixed(trial: optuna.Trial) -> dict[str, Any]:
    """Numbers and choices; momentum under one optimizer only."""
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    found = {"rate": rate, "width": trial.suggest_int("width", 2, 64)}
    found["optimizer"] = trial.suggest_categorical("optimizer", ["adam", "sgd"])
    if found["optimizer"] == "sgd":
        found["momentum"] = trial.suggest_float("momentum", 0.0, 0.99)
    return found


def test_a_grid_holds_every_configuration_of_every_branch_once() -> None:
    points = grid_of(choices)
    expected = [
        *({"net": net, "pretrained": p} for net in ("small", "wide") for p in (True, False)),
        *({"net": "deep", "pretrained": p, "depth": d} for p in (True, False) for d in (18, 50)),
    ]
    assert len(points) == len(expected) == 8
    assert all(point in points for point in expected)


def test_a_grid_begins_with_the_given_configurations_and_repeats_none() -> None:
    first = {"net": "wide", "pretrained": False}
    points = grid_of(choices, [first], study_seed=3)
    assert points[0] == first
    assert points.count(first) == 1
    assert len(points) == 8
    assert points == grid_of(choices, [first], study_seed=3) != grid_of(choices, [first], study_seed=4)


def test_a_grid_refuses_a_numeric_parameter_by_name() -> None:
    with pytest.raises(
        UserError, match=r"grid supports categorical parameters only, but rate is numeric.*--sampler"
    ):
        grid_of(mixed)


def test_a_grid_refuses_to_grow_without_end() -> None:
    def many(trial: optuna.Trial) -> dict[str, Any]:
        return {name: trial.suggest_categorical(name, list(range(10))) for name in "abcde"}

    with pytest.raises(UserError, match=f"at most {MOST_GRID_POINTS} configurations"):
        grid_of(many)


def test_qmc_spreads_numbers_evenly_from_the_first_trial_on() -> None:
    """Of 16 Sobol points each of 16 equal shares of each axis holds exactly one."""
    values = []
    for number in range(16):
        study = optuna.create_study(sampler=make_sampler("qmc", study_seed=5, number=number))
        trial = study.ask()
        values.append([trial.suggest_float(name, 0, 1) for name in "ab"])
    for axis in np.array(values).T:
        assert sorted((axis * 16).astype(int)) == list(range(16))


def test_qmc_refuses_more_parameters_than_it_has_coordinates() -> None:
    trial = optuna.create_study(sampler=make_sampler("qmc", study_seed=0, number=0)).ask()
    for index in range(QMC_COORDINATES):
        trial.suggest_float(f"x{index}", 0, 1)
    with pytest.raises(UserError, match=f"at most {QMC_COORDINATES} parameters, and one_more is"):
        trial.suggest_float("one_more", 0, 1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tpe", "tpe: all parameters"),
        ("random", "random: all parameters"),
        ("qmc", "qmc: all parameters"),
        ("gp", "gp: moves rate, width, optimizer; momentum left to a random sampler"),
        ("cmaes", "cmaes: moves rate, width; optimizer, momentum left to TPE"),
    ],
)
def test_it_is_said_which_parameters_a_sampler_moves(name: str, text: str) -> None:
    assert describe_sampler(name, mixed) == text


def test_what_a_sampler_cannot_do_with_a_space_is_refused() -> None:
    assert describe_sampler("grid", choices).startswith("grid: 8 configurations")
    with pytest.raises(UserError, match="cmaes needs a numeric parameter"):
        describe_sampler("cmaes", choices)
    with pytest.raises(UserError, match="rate is numeric"):
        describe_sampler("grid", mixed)


def test_every_trial_of_every_study_has_a_seed_of_its_own() -> None:
    assert len({seed_of(study, number) for study, number in itertools.product(range(20), range(50))}) == 1000
    assert seed_of(0, 1) == seed_of(0, 1) < 2**32
