"""What every search space must do: a new file in search_spaces/ is tested by being there."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from platform.config import Configuration, replace, to_dict
from platform.errors import UserError
from platform.models.networks.backbones import BACKBONES
from platform.presets import preset
from search_spaces import fmpn, load_space, space_names

PRESET_OF = {"fmpn": "paper", "quick": "quick"}


def base_of(space: str, **changes: Any) -> Configuration:
    fields = to_dict(Configuration())
    values = {name: value for name, value in preset(PRESET_OF[space]).items() if name in fields}
    return Configuration(**{**values, **changes})


@pytest.mark.parametrize("space", space_names())
def test_the_first_configurations_lie_inside_and_every_proposal_is_a_valid_configuration(space: str) -> None:
    base, module = base_of(space), load_space(space)
    for parameters in module.first(to_dict(base)):
        replace(base, **module.suggest(optuna.trial.FixedTrial(parameters)))  # type: ignore[arg-type]
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        replace(base, **module.suggest(study.ask()))


@pytest.mark.parametrize("space", space_names())
def test_weights_of_one_backbone_are_refused_where_backbones_are_searched(space: str) -> None:
    base = {**to_dict(base_of(space)), "weights": f"/some/file@sha256:{'0' * 64}"}
    with pytest.raises(
        UserError, match=r"--weights FILE fits inception_v3 only, but the search space chooses"
    ):
        load_space(space).first(base)


def test_the_fmpn_space_offers_every_backbone() -> None:
    assert set(fmpn.BACKBONES) == set(BACKBONES)
