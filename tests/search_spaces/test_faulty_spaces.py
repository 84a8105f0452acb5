"""Whatever is wrong in a user's file ends in one line that names the file, the fault and the remedy."""

from __future__ import annotations

import importlib
import itertools
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

import search_spaces
from platform.config.configuration import configuration_of
from platform.errors import UserError
from platform.search.definition import definition_of_space
from platform.search.storage import open_storage
from search_spaces import load_space

Write = Callable[[str], str]

NAMES = (f"mine_{number}" for number in itertools.count())
SUGGEST = "def suggest(trial):\n    return {'lambda_mask': trial.suggest_float('lambda_mask', 0.1, 10)}\n"
FIRST = "def first(base):\n    return [{'lambda_mask': base['lambda_mask']}]\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Makes a space of that source and gives its name, another each time."""
    monkeypatch.setattr(search_spaces, "__path__", [*search_spaces.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(source: str) -> str:
        name = next(NAMES)
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        return name

    return make


def suggesting(*lines: str) -> str:
    """A space whose `suggest` has these lines, the first of them in line 2."""
    return "\n    ".join(["def suggest(trial):", *lines]) + "\n\n" + FIRST


def giving(line: str) -> str:
    """A space whose `first` is that line, the fifth."""
    return SUGGEST + f"\ndef first(base):\n    {line}\n"


def refusal(name: str, **options: Any) -> str:
    with pytest.raises(UserError) as error:
        definition_of_space(name, configuration_of(), **options)
    assert "\n" not in str(error.value)
    return str(error.value)


ONLY = (
    "only suggest_float, suggest_int and suggest_categorical, so that a proposal is a function of its values"
)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("def suggest(trial) return {}\n", ["importing FILE", "SyntaxError: expected ':' (FILE, line 1)"]),
        ("\nimport no_such_module\n", ["ModuleNotFoundError: No module named", "(FILE, line 2)"]),
        ("raise ValueError('two\\nlines')\n", ["ValueError: two lines (FILE, line 1)"]),
        (suggesting("pass"), ["suggest(trial) of FILE must return a dict of configuration", "returned None"]),
        (suggesting("return ['lambda_mask']"), ["must return a dict of configuration", "['lambda_mask']"]),
        (suggesting("return {1: 2}"), ["must return names", "the name 1"]),
        (suggesting("return {'lambda_mask': float('nan')}"), ["finite numbers", "lambda_mask: nan"]),
        (suggesting("x = 0", "return 1 / x"), ["ZeroDivisionError: division by zero (FILE, line 3)"]),
        (suggesting("trial.suggest_float('a', 2, 1)"), ["`low <= high` must hold", "(FILE, line 2)"]),
        (suggesting("trial.suggest_float('a', 1, 2, step=1, log=True)"), ["`step`", "(FILE, line 2)"]),
        (suggesting("return {'seed': trial.number}"), [ONLY, "trial.number (FILE, line 2)"]),
        (suggesting("if hasattr(trial, 'number'): pass"), [ONLY, "trial.number (FILE, line 2)"]),
        (suggesting("trial.set_user_attr('a', 1)"), [ONLY, "trial.set_user_attr (FILE, line 2)"]),
        (suggesting("trial.suggest_loguniform('a', 1, 2)"), [ONLY, "trial.suggest_loguniform"]),
        (giving("return 1 / 0"), ["first(base) of FILE", "ZeroDivisionError", "(FILE, line 5)"]),
        (giving("return base['lamda']"), ["KeyError: 'lamda' (FILE, line 5)"]),
        (giving("return {'lambda_mask': 1}"), ["first(base) of FILE must return a list of dicts"]),
        (giving("return [1]"), ["must return a list of dicts of parameter values, but returned [1]"]),
        (giving("return [{'lambda_mask': float('inf')}]"), ["finite numbers", "lambda_mask: inf"]),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_file_and_line(write: Write, source: str, parts: list[str]) -> None:
    name = write(source)
    said = refusal(name)
    for part in parts:
        assert part.replace("FILE", f"search_spaces/{name}.py") in said
    assert said.endswith("correct the file (docs/search_spaces.md, Write a search space).")


def test_a_fault_in_a_space_that_another_builds_on_is_named_where_it_is(write: Write) -> None:
    inner = write("def suggest(trial):\n    return 1 / 0\n")
    outer = write(f"from search_spaces import {inner}\nsuggest = {inner}.suggest\n" + FIRST)
    assert f"suggest(trial) of search_spaces/{outer}.py" in refusal(outer)
    assert f"(search_spaces/{inner}.py, line 2)" in refusal(outer)


def test_a_refusal_of_the_spaces_own_is_left_as_it_is(write: Write) -> None:
    own = "from platform.errors import UserError\n" + giving("raise UserError('as it is')")
    assert refusal(write(own)) == "as it is"


@pytest.mark.parametrize(
    ("one", "other", "kinds"),
    [
        ("categorical('draw', (1, 2))", "categorical('draw', (1, 3))", "1 or 2 in one place and 1 or 3 in"),
        ("categorical('draw', (1, 2))", "int('draw', 1, 2)", "an integer from 1 to 2"),
        ("float('draw', 1, 2)", "float('draw', 1, 2, log=True)", "a number from 1 to 2 (log)"),
        ("float('draw', 1, 2)", "int('draw', 1, 2)", "an integer from 1 to 2"),
        ("float('draw', 1, 2)", "float('draw', 1, 3)", None),
    ],
)
def test_a_parameter_is_of_one_kind_in_all_branches(
    write: Write, one: str, other: str, kinds: str | None
) -> None:
    """Optuna would refuse it later, when a trial takes the other branch; other bounds it takes."""
    name = write(
        suggesting(
            "if trial.suggest_categorical('optimizer', ('adam', 'sgd')) == 'sgd':",
            f"    return {{'dropout': trial.suggest_{one}}}",
            f"return {{'momentum': trial.suggest_{other}}}",
        ).replace("[{'lambda_mask': base['lambda_mask']}]", "[]")
    )
    if kinds is None:
        assert definition_of_space(name, configuration_of(method="cnn"))
        return
    said = refusal(name)
    assert f"one set of choices in search_spaces/{name}.py, but draw is " in said
    assert kinds in said


def test_a_storage_that_fails_is_not_taken_for_a_fault_of_the_space(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(tmp_path / "study.journal")
    trial = optuna.create_study(storage=storage).ask()

    def full(*given: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(storage._backend, "append_logs", full)  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="no space left"):
        load_space(write(SUGGEST + FIRST)).suggest(trial)


def test_choices_that_a_study_refuses_are_a_fault_of_the_space(write: Write) -> None:
    study = optuna.create_study()
    study.ask().suggest_categorical("lambda_mask", (1, 2))
    with pytest.raises(UserError, match=r"Cannot set different distribution kind .* line 2\)"):
        load_space(write(SUGGEST + FIRST)).suggest(study.ask())


def test_a_definition_can_be_pickled() -> None:
    made = definition_of_space("fmpn", configuration_of(), fixed=["backbone=resnet18"])
    again = pickle.loads(pickle.dumps(made))
    values = dict(made.first[0])
    assert again.suggest(optuna.trial.FixedTrial(values)) == made.suggest(optuna.trial.FixedTrial(values))


def test_the_pages_example_works(write: Write, root: Path) -> None:
    page = (root / "docs/search_spaces.md").read_text(encoding="utf-8")
    name = write(page.split("```python\n")[1].split("```")[0])
    assert definition_of_space(name, configuration_of()).first == ({"optimizer": "adam"},)
    decayed = configuration_of(weight_decay=1e-2)
    assert definition_of_space(name, decayed, fixed=["optimizer=adamw"]).first == ({"weight_decay": 1e-2},)


# --- nothing to search, first configurations ----------------------------------------------------------


def test_a_search_of_nothing_is_refused(write: Write) -> None:
    fixed = ["lambda_mask=3", "lambda_classification=1"]
    said = refusal("loss_weights", fixed=fixed)
    assert "loss_weights leaves none: --fix fixes lambda_classification, lambda_mask; drop a --fix" in said
    assert "python -m platform.crossval" in said
    assert definition_of_space("loss_weights", configuration_of(), fixed=fixed[:1])
    for lines in ("return {}", "return {'lambda_mask': trial.suggest_float('lambda_mask', 1, 1)}"):
        assert "leaves none: it has no parameter with more than one" in refusal(write(suggesting(lines)))


def test_a_value_of_the_base_outside_the_space_is_named_with_its_flag() -> None:
    base = configuration_of(method="cnn")
    with pytest.raises(
        UserError, match=r"0\.0\); pass --weight-decay with 0\.0001 to 0\.1, choose a --space"
    ):
        definition_of_space("baseline", base, fixed=["optimizer=adamw"])
    decayed = configuration_of(method="cnn", weight_decay=1e-4)
    assert definition_of_space("baseline", decayed, fixed=["optimizer=adamw"]).first


def test_parameters_that_first_leaves_out_are_named(write: Write) -> None:
    name = write(
        suggesting(
            "chosen = {'optimizer': trial.suggest_categorical('optimizer', ('adam', 'adamw'))}",
            "if chosen['optimizer'] == 'adamw':",
            "    chosen['weight_decay'] = trial.suggest_float('weight_decay', 1e-4, 0.1)",
            "return chosen",
        ).replace("lambda_mask", "optimizer")
    )
    said = refusal(name, fixed=["optimizer=adamw"])
    assert (
        "weight_decay (0.0001 to 0.1) is missing); have the space's first(base) return weight_decay" in said
    )
