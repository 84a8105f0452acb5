from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from platform.cli.flags import add_fields, add_settings, field_help, is_named, parse_value, resolve
from platform.cli.parser import Parser
from platform.cli.settings_reader import read_settings
from platform.config.configuration import Plan, configuration_of
from platform.config.presets import preset
from platform.errors import UserError
from platform.models.cnn import CnnOptions
from platform.models.fmpn import FmpnOptions


def parsed(*argv: str, without: tuple[str, ...] = ()) -> argparse.Namespace:
    parser = Parser(prog="program")
    add_settings(parser, argv, without=without)
    return parser.parse_args(list(argv))


@pytest.mark.parametrize("kind", [FmpnOptions, CnnOptions, Plan])
def test_every_field_has_a_help_text_of_its_own(kind: Any) -> None:
    texts = field_help(kind)
    assert sorted(texts) == sorted(field.name for field in dataclasses.fields(kind))
    for name, text in texts.items():
        assert len(text) > 8, name
        assert "\n" not in text
        assert text.endswith("."), name
    assert len(set(texts.values())) == len(texts)


def test_every_field_but_the_commands_own_has_a_flag_with_its_help() -> None:
    parser = Parser(prog="program")
    add_settings(parser, [], without=("selection_rule",))
    flags = {action.dest: action for action in parser._actions}
    fields = {f.name for kind in (FmpnOptions, Plan) for f in dataclasses.fields(kind)}
    assert fields - set(flags) == {"selection_rule", "methods", "fold_list"}
    assert flags["stage1_batch_size"].option_strings == ["--stage1-batch-size"]
    assert flags["seed"].help == field_help(FmpnOptions)["seed"] + " (default 0)"
    assert all(flags[name].metavar for name in fields & set(flags) - {"preset"})
    parser.format_help()  # a stray % in a help text would raise


@dataclasses.dataclass(frozen=True, kw_only=True)
class House:
    """A group of fields that others build on."""

    seed: int = 0
    """Seed of everything
    that is drawn."""
    device: str = "cpu"
    """Device."""


class NoFields:
    """A base that is no dataclass."""

    size: int = 3
    """Not a field."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(NoFields, House):
    """Two levels of fields."""

    device: str = "cuda"
    rates: tuple[float, ...] = ()
    """Learning rates, 100 % at most."""
    seed: int = 1
    """Seed of this method."""
    undocumented: int = 0


def test_help_follows_the_bases_of_a_dataclass() -> None:
    assert field_help(House) == {"seed": "Seed of everything that is drawn.", "device": "Device."}
    assert field_help(Options) == {
        "seed": "Seed of this method.", "device": "Device.", "rates": "Learning rates, 100 % at most.",
    }  # fmt: skip


def test_flags_are_made_from_any_dataclass_and_its_bases() -> None:
    parser = Parser(prog="program")
    add_fields(parser, Options, "options", without=("undocumented",))
    flags = {action.dest: action for action in parser._actions if action.dest != "help"}
    assert {name: action.metavar for name, action in flags.items()} == {
        "seed": "NUMBER", "device": "NAME", "rates": "NUMBERS",
    }  # fmt: skip
    assert "100 % at most" in parser.format_help()
    assert parser.parse_args(["--rates", "1,2"]).rates == "1,2"
    assert parser.parse_args([]).seed is None


def test_help_says_the_default_and_the_presets_value_where_it_is_another() -> None:
    parser = Parser(prog="program")
    add_settings(parser, ["--preset", "smoke"])
    help_of = {action.dest: str(action.help) for action in parser._actions}
    assert help_of["trials"].endswith("(default 12, smoke: 3)")
    assert help_of["folds"].endswith("(default 10)")
    assert help_of["weights"].endswith("(default imagenet, smoke: none)")
    assert parser.shown_defaults["--trials"] == "default 12, smoke: 3"


def test_options_are_grouped_by_the_class_that_declares_them() -> None:
    parser = Parser(prog="program")
    add_settings(parser, [])
    groups = {str(group.title): [one.dest for one in group._group_actions] for group in parser._action_groups}
    assert (
        "lambda_mask" in groups["fmpn: Options of FMPN: nets, both stages, and the weights of its two losses"]
    )
    assert groups["comparison"] == ["seeds", "baselines", "transfer_to"]
    assert "retries" in groups["fold runs and machine"]


def test_left_out_fields_have_no_flag() -> None:
    with pytest.raises(SystemExit):
        parsed("--trials", "3", without=("trials",))


def test_without_flags_the_preset_is_what_counts() -> None:
    configuration, plan = resolve(parsed("--preset", "released"))
    assert configuration == configuration_of(lambda_mask=0.1)
    assert plan == Plan(space="fmpn", preset="released", seeds=3)


def test_a_field_is_named_by_its_flag_or_by_the_file_and_not_by_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("backbone: vgg16\n")
    assert not is_named(parsed(), "backbone")
    assert is_named(parsed("--backbone", "vgg16"), "backbone")
    assert is_named(parsed("--config", str(file)), "backbone")
    assert not is_named(parsed("--config", str(file)), "seed")


def test_flags_override_yaml_which_overrides_the_preset_which_overrides_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("lambda_mask: 5\nseed: 7\ntrials: 2\nstudy_seed: 4\n")
    base = ["--preset", "released"]
    with_file = [*base, "--config", str(file)]
    with_flags = [*with_file, "--lambda-mask", "2", "--trials", "9"]

    def values(argv: list[str], **forced: Any) -> tuple[Any, ...]:
        configuration, plan = resolve(parsed(*argv), **forced)
        return (
            configuration.lambda_mask, configuration.seed, configuration.stage2_batch_size,
            plan.trials, plan.study_seed,
        )  # fmt: skip

    assert values(base) == (0.1, 0, 16, 12, 0)
    assert values(with_file) == (5, 7, 16, 2, 4)
    assert values(with_flags) == (2, 7, 16, 9, 4)
    assert values(with_flags, trials=1) == (2, 7, 16, 1, 4)


def test_what_overrides_is_checked_together() -> None:
    smallest = preset("smoke")["load_size_pixels"]
    with pytest.raises(UserError, match=f"{smallest} < 299"):
        resolve(parsed("--preset", "smoke", "--image-size-pixels", "299"))


@pytest.mark.parametrize(
    ("flag", "text", "value"),
    [
        ("seed", "12", 12),
        ("lambda_mask", "1e-2", 0.01),
        ("lambda_mask", "3", 3.0),
        ("pruning", "no", False),
        ("pruning", "YES", True),
        ("transform_input", "false", False),
        ("rounds", "6,4", (6, 4)),
        ("baselines", "cnn", ("cnn",)),
        ("baselines", "", ()),
        ("backbone", "vgg16", "vgg16"),
        ("weights", "none", "none"),
    ],
)
def test_a_flags_text_becomes_its_fields_type(flag: str, text: str, value: object) -> None:
    argv = ["--preset", "paper", "--" + flag.replace("_", "-"), text]
    configuration, plan = resolve(parsed(*argv))
    found = getattr(configuration, flag, None) if hasattr(configuration, flag) else getattr(plan, flag)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "hint", "message"),
    [
        ("seed", "1.5", int, "--seed takes a whole number, but got '1.5'."),
        ("lambda_mask", "much", float, "--lambda-mask takes a number, but got 'much'."),
        ("pruning", "maybe", bool, "--pruning takes yes or no, but got 'maybe'."),
        ("rounds", "4,x", tuple[int, ...], "--rounds takes whole numbers between commas, but got '4,x'."),
    ],
)
def test_a_flag_of_the_wrong_type_names_flag_and_value(name: str, text: str, hint: Any, message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse_value(name, text, hint)
    assert str(refusal.value) == message


def test_yaml_lists_and_numbers_without_a_point_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("rounds: [6, 4]\nclassifier_learning_rate: 1e-4\nweights: none\nbaselines: []\n")
    assert read_settings(file, "fmpn") == {
        "rounds": (6, 4), "classifier_learning_rate": 1e-4, "weights": "none", "baselines": (),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("lamda_mask: 1", ["unknown key in", "settings.yaml", "'lamda_mask'", "did you mean 'lambda_mask'?"]),
        ("3: 1", ["unknown key in", "'3'"]),
        ("- 1", ["must map field names to values", "list"]),
        ("", ["must map field names to values", "NoneType"]),
        ("a: [", ["line 1: not valid YAML"]),
        ("a: !!python/object:os.system x", ["line 1: not valid YAML"]),
        ("seed: many", ["seed must be of type int", "'many'"]),
        ("lambda_mask: much", ["lambda_mask must be of type float", "'much'"]),
        ("rounds: 4", ["rounds must be a list of int", "4"]),
    ],
)
def test_a_bad_yaml_file_says_what_is_wrong_in_one_line(tmp_path: Path, text: str, parts: list[str]) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as refusal:
        resolve(parsed("--config", str(file)))
    for part in parts:
        assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "make", [lambda path: None, Path.mkdir, os.mkfifo, lambda path: path.write_bytes(b"\xff\xfea")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "settings.yaml"
    make(path)
    with pytest.raises(UserError, match=r"settings\.yaml"):
        resolve(parsed("--config", str(path)))
