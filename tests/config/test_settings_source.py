from __future__ import annotations

import json

import pytest

from platform.config.configuration import Plan
from platform.config.presets import source_of_baseline, with_method
from platform.config.settings_source import SettingsSource, settings_source
from tests.tiny_faces import tiny_configuration


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (SettingsSource(whose="own search", trials=12), "own search of 12 trials"),
        (SettingsSource(whose="own search", trials=1), "own search of 1 trial"),
        (SettingsSource(whose="winner"), "the winner's"),
        (SettingsSource(whose="winner", preset="quick"), "the winner's, the rest from the preset quick"),
        (SettingsSource(whose="given", given=("dropout", "seed")), "given, given dropout, seed"),
        (SettingsSource(), ""),
    ],
)
def test_a_source_is_stored_and_said(source: SettingsSource, text: str) -> None:
    assert source.describe() == text
    assert settings_source(json.loads(json.dumps(source.to_dict()))) == source


def test_an_earlier_version_s_row_does_not_say() -> None:
    assert settings_source({"method": "cnn"}) == SettingsSource()
    assert SettingsSource().to_dict() == {}


def test_a_baseline_s_source_is_what_its_settings_are_made_of() -> None:
    plan = Plan(preset="quick", methods='{"cnn": {"label_smoothing": 0.1}}')
    fmpn, cnn = tiny_configuration(), tiny_configuration(method="cnn")
    assert source_of_baseline(fmpn, "cnn_no_mask_loss", plan, "winner") == SettingsSource(whose="winner")
    given = SettingsSource(whose="winner", given=("label_smoothing",))
    assert source_of_baseline(fmpn, "cnn", plan, "winner") == given
    assert with_method(fmpn, "cnn", plan).label_smoothing == 0.1
    rest = SettingsSource(whose="given", preset="quick")
    assert source_of_baseline(cnn, "fmpn", plan, "given") == rest
    assert with_method(cnn, "fmpn", plan).generator_width == 8
