"""What every search space must do: a new file in search_spaces/ is tested by being there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.cli.flags import resolve
from platform.cli.parser import Parser
from platform.cli.run_flags import add_run_arguments
from platform.config.configuration import Configuration, Plan, configuration_of, replace, to_dict
from platform.config.presets import with_method
from platform.errors import UserError
from platform.models import load_method
from platform.models.networks.backbones import BACKBONES, OWN_DROPOUT
from platform.runs.cost import costs_of
from platform.search.definition import definition_of_space
from platform.search.parameters import survey
from search_spaces import backbone, fmpn_full, load_space, space_names

SUGGESTIONS = 200


def documented_settings(space: str) -> tuple[Configuration, Plan]:
    """What the command in the file's own header asks for."""
    parser = Parser(prog="tune")
    argv = documented_command(space)
    add_run_arguments(parser, argv)
    return resolve(parser.parse_args(argv))


def documented_command(space: str) -> list[str]:
    header = load_space(space).__doc__ or ""
    found = re.findall(r"^ +python -m platform\.tune (.+)$", header, re.MULTILINE)
    assert len(found) == 1, f"the header of search_spaces/{space}.py gives one command"
    return shlex.split(found[0])


def base_of(space: str, **changes: Any) -> Configuration:
    return replace(documented_settings(space)[0], **changes)


def random_suggestions(space: str) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [load_space(space).suggest(study.ask()) for _ in range(SUGGESTIONS)]


@pytest.fixture(params=space_names())
def space(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_the_command_in_its_header_searches_it(space: str) -> None:
    assert documented_settings(space)[1].space == space


def test_its_parts_are_documented(space: str) -> None:
    module = load_space(space)
    assert module.suggest.__doc__
    assert module.first.__doc__


def test_every_suggestion_is_a_valid_configuration(space: str) -> None:
    base = base_of(space)
    for overrides in random_suggestions(space):
        replace(base, **overrides)


def test_the_first_configurations_are_valid_and_differ(space: str) -> None:
    first = definition_of_space(space, base_of(space)).first
    assert first
    assert all(one not in first[:place] for place, one in enumerate(first))


def test_the_first_one_is_the_papers_and_the_released_one_follows_where_the_two_differ(space: str) -> None:
    base = base_of(space)
    assert getattr(base, "lambda_mask", 10) == 10
    definition = definition_of_space(space, base)
    made = [
        replace(base, **definition.suggest(optuna.trial.FixedTrial(dict(one)))) for one in definition.first
    ]
    assert made[0] == base
    searches_it = "lambda_mask" in survey(space, load_space(space).suggest).distributions
    if searches_it:
        assert made[1] == replace(base, lambda_mask=0.1)


def test_a_base_of_ones_own_is_tried_after_the_published_ones() -> None:
    base = base_of("loss_weights", lambda_mask=3.0)
    masks = [one["lambda_mask"] for one in definition_of_space("loss_weights", base).first]
    assert masks == [10.0, 0.1, 3.0]


@pytest.mark.parametrize("space", ["fmpn", "fmpn_full", "loss_weights", "quick"])
def test_a_method_that_does_not_read_all_that_it_sets_is_refused(space: str) -> None:
    """Otherwise a search would spend its trials on values without effect."""
    with pytest.raises(UserError, match=r"lambda_mask.*, which the method cnn does not read; pass a --space"):
        definition_of_space(space, with_method(base_of(space), "cnn", Plan()))


def test_only_fmpn_full_gives_trials_a_stage_1_of_their_own(space: str) -> None:
    fmpn = load_method("fmpn")
    read = fmpn.artifacts(configuration_of())["stage1"].option_names(fmpn.options)
    own = {name for name in read if name.startswith("stage1_")} | {"augmentation"}
    searched = survey(space, load_space(space).suggest).fields & own
    stage1 = {"stage1_learning_rate", "stage1_constant_epochs", "stage1_decay_epochs"}
    assert searched == (stage1 if space == "fmpn_full" else set())


def test_weights_of_one_backbone_are_refused_where_backbones_are_searched() -> None:
    base = base_of("backbone")
    object.__setattr__(base, "weights", f"/some/file@sha256:{'0' * 64}")  # never read: refused before
    with pytest.raises(UserError, match=r"--weights FILE fits inception_v3 only, but .* --fix backbone="):
        definition_of_space("backbone", base)
    made = definition_of_space("backbone", base, fixed=["backbone=inception_v3"])
    assert [one["classifier_learning_rate"] for one in made.first] == [1e-4]
    assert definition_of_space("loss_weights", base).first


def test_the_backbone_space_offers_every_backbone_and_tries_each_once_at_first() -> None:
    first = [one["backbone"] for one in backbone.first(to_dict(base_of("backbone")))]
    assert sorted(first) == sorted(BACKBONES)


def test_the_large_nets_are_those_of_more_than_50_million_parameters() -> None:
    base = configuration_of("cnn", weights="none")
    counts = {name: costs_of(replace(base, backbone=name), 7).parameters for name in BACKBONES}
    assert set(backbone.LARGE) == {name for name, count in counts.items() if count > 50e6}


def test_dropout_and_batch_depend_on_the_net() -> None:
    seen: dict[str, tuple[set[float], set[int]]] = {}
    for overrides in random_suggestions("backbone"):
        dropouts, batches = seen.setdefault(overrides["backbone"], (set(), set()))
        dropouts.add(overrides["dropout"])
        batches.add(overrides.get("stage2_batch_size", 0))
    for name, (dropouts, batches) in seen.items():
        has_dropout = BACKBONES[name].dropout is not None
        assert dropouts == ({OWN_DROPOUT, 0.2, 0.7} if has_dropout else {OWN_DROPOUT})
        assert batches == ({0} if name in backbone.LARGE else {8, 16, 32})


def test_the_optimizers_of_the_baseline_have_what_depends_on_them() -> None:
    for overrides in random_suggestions("baseline"):
        sgd = overrides["optimizer"] == "sgd"
        assert (overrides["classifier_learning_rate"] > 1e-3) == sgd
        assert overrides["momentum"] in ((0.0, 0.9) if sgd else (0.0,))
        assert ("weight_decay" in overrides) == (overrides["optimizer"] == "adamw")


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_the_baseline_starts_from_any_optimizer_of_the_base(optimizer: str) -> None:
    own = {"adam": {}, "adamw": {"weight_decay": 1e-2}, "sgd": {"classifier_learning_rate": 1e-2}}[optimizer]
    base = base_of("baseline", optimizer=optimizer, **own)
    assert definition_of_space("baseline", base).first[0]["optimizer"] == optimizer


def test_stage_1_of_fmpn_full_has_nine_variants_and_is_published_at_first() -> None:
    pairs = {
        (one["stage1_learning_rate"], one["stage1_constant_epochs"] + one["stage1_decay_epochs"])
        for one in random_suggestions("fmpn_full")
    }
    assert len(pairs) == 9
    uneven = {**to_dict(base_of("fmpn_full")), "stage1_constant_epochs": 100}
    with pytest.raises(UserError, match="stage1_constant_epochs 100 and stage1_decay_epochs 150; make them"):
        fmpn_full.first(uneven)


def test_a_file_without_its_functions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("search_spaces.quick.first")
    with pytest.raises(UserError, match=r"search_spaces/quick\.py has no first; see docs/search_spaces\.md"):
        load_space("quick")


# --- docs/search_spaces.md ----------------------------------------------------------------------------


def rows_of(root: Path, space: str) -> set[str]:
    """Parameters in the section of that space."""
    text = (root / "docs/search_spaces.md").read_text(encoding="utf-8")
    section = re.search(rf"^## `{space}`$(.+?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/search_spaces.md has no section `{space}`"
    return set(re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE))


def inherited(space: str) -> set[str]:
    """Parameters that the page shows in the section of the space that they are taken from."""
    return {
        "fmpn": {*survey("", load_space("backbone").suggest).distributions}
        | {*survey("", load_space("loss_weights").suggest).distributions},
        "fmpn_full": {*survey("", load_space("fmpn").suggest).distributions},
        "baseline": {"backbone", "dropout", "stage2_batch_size"},
        "no_mask_loss": {*survey("", load_space("fmpn").suggest).distributions},
        "baseline_quick": {*survey("", load_space("quick").suggest).distributions},
        "no_mask_loss_quick": {*survey("", load_space("quick").suggest).distributions},
    }.get(space, set())


def test_the_page_names_every_parameter_of_every_space(root: Path, space: str) -> None:
    parameters = set(survey(space, load_space(space).suggest).distributions)
    assert rows_of(root, space) == parameters - inherited(space)
    if space in ("no_mask_loss", "baseline_quick", "no_mask_loss_quick"):
        assert parameters < inherited(space)


def test_the_page_gives_the_command_of_every_space(root: Path, space: str) -> None:
    text = (root / "docs/search_spaces.md").read_text(encoding="utf-8")
    assert f"./fer tune {shlex.join(documented_command(space))}\n" in text
