from __future__ import annotations

from pathlib import Path

import pytest

from platform.cli.settings_reader import read_settings
from platform.config.configuration import Plan, configuration_of, to_dict
from platform.config.settings_file import show, stored_settings
from platform.errors import UserError


def test_the_stored_settings_make_the_same_settings_again(tmp_path: Path) -> None:
    configuration = configuration_of(lambda_mask=0.1, generator_learning_rate=1e-5, seed=3)
    plan = Plan(rounds=(5, 5), baselines=(), study_seed=2)
    path = tmp_path / "config.yaml"
    path.write_text(show(configuration, plan))
    assert stored_settings(path) == {**to_dict(plan), **to_dict(configuration)}
    values = read_settings(path, "fmpn")
    names = to_dict(configuration)
    assert configuration_of(**{k: v for k, v in values.items() if k in names}) == configuration
    assert Plan(**{k: v for k, v in values.items() if k not in names}) == plan


@pytest.mark.parametrize("text", ["a: [", "- a", "", "x", "trials: 2001-99-99"])
def test_damaged_settings_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(UserError, match=r"config\.yaml(, line 1: not valid YAML| must map settings)"):
        stored_settings(tmp_path / "config.yaml")
