"""Help texts list what is registered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from datasets.catalogue import dataset_names
from datasets.synthetic.layouts import LAYOUTS
from platform import crossval, prepare, synthesize, transfer, tune
from platform.cli.known_names import REGISTRIES, known_names
from platform.config.configuration import Plan, option_names
from platform.models import method_names
from platform.models.networks.backbones import BACKBONES


def help_of(
    main: Callable[[list[str]], int | None], capsys: pytest.CaptureFixture[str], flag: str = "--help-all"
) -> str:
    with pytest.raises(SystemExit):
        main([flag])
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("module", [tune, crossval])
def test_the_commands_that_train_list_nets_methods_and_data_sets(
    module: object, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(module.main, capsys)  # type: ignore[attr-defined]
    for names in (BACKBONES, method_names(), dataset_names()):
        assert f"Known: {', '.join(names)}." in text


@pytest.mark.parametrize("module", [prepare, transfer])
def test_prepare_and_transfer_list_the_data_sets(module: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"Known: {', '.join(dataset_names())}." in help_of(module.main, capsys)  # type: ignore[attr-defined]


def test_synthesize_lists_the_layouts(capsys: pytest.CaptureFixture[str]) -> None:
    assert ", ".join(LAYOUTS) in help_of(synthesize.main, capsys, "--help")


def test_every_registry_belongs_to_a_setting_and_others_list_nothing() -> None:
    settings = {*option_names("fmpn"), *Plan.__dataclass_fields__}
    assert settings >= REGISTRIES.keys()
    assert known_names("seed") == ""
