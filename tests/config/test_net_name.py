from __future__ import annotations

import pytest

from platform.config.configuration import configuration_of, to_dict
from platform.config.net_name import net_name, only_width, preset_text
from platform.config.presets import preset


def test_a_narrow_net_says_its_width() -> None:
    assert net_name("resnet18", 1.0) == "resnet18"
    assert net_name("resnet18", 0.25) == "resnet18, width 0.25"
    assert net_name("various", only_width([0.25, 1.0])) == "various, various widths"
    assert only_width([]) == 1.0


def config(name: str, **changes: object) -> dict[str, object]:
    return {**to_dict(configuration_of()), **preset(name), **changes}


@pytest.mark.parametrize("name", ["paper", "released", "quick", "smoke"])
def test_a_preset_as_it_is_has_its_name(name: str) -> None:
    assert preset_text(name, config(name, seed=3, method="cnn", trials=99)) == name


def test_what_was_changed_of_a_preset_is_said() -> None:
    changed = config("released", backbone="resnet18", weights="/a/b.pth@sha256:12", compiled=True)
    assert preset_text("released", changed) == (
        "released, changed: compiled yes, backbone resnet18, weights b.pth"
    )
    halved = {**changed, "stage1_constant_epochs": 1, "stage2_constant_epochs": 2}
    assert preset_text("released", halved).endswith(", 1 more")


def test_settings_and_presets_of_other_versions_change_nothing() -> None:
    assert preset_text("released", {"lambda_mask": 0.1}) == "released"
    assert preset_text("gone", {"lambda_mask": 7.0}) == "gone"
