"""Every flag changes something: no flag is accepted and ignored."""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from datasets.synthetic.parameters import SetParameters
from platform import prepare, reproduce, synthesize
from platform.cli.parser import Parser, run
from platform.config.configuration import Plan
from platform.errors import UserError
from platform.experiments import capacity
from platform.experiments.experiment import Experiment, final_rows
from platform.experiments.experiment import ahead as ahead_of
from platform.experiments.rows import all_tasks
from platform.experiments.study_definition import search_definition
from platform.models.fmpn import FmpnOptions
from platform.search import parameters as study_parameters
from platform.search import preview as ahead
from tests.flag_effects import (
    AT_RUN_TIME,
    COMMANDS,
    CONTEXT,
    OTHER,
    REFUSED,
    SETTINGS,
    SHOWN_IN,
    TRIED_ELSEWHERE,
)
from tests.tiny_faces import prepare_tiny


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name, others in (("synthetic", ""), ("synthetic_mmi", "some "), ("synthetic_wild", "more ")):
        neutral = ("neutral",) if name == "synthetic_wild" else ()
        prepare_tiny(root, name, subjects=9, others=others, without=neutral)
    return root


def planned(experiment: Experiment, *, search: bool) -> dict[str, Any]:
    """All of a planned experiment that can change what is computed, where, or where it goes."""
    searches = experiment.searches if search else ()
    first = [made for one in searches for made in ahead_of(experiment, one)]
    tasks = all_tasks(final_rows(experiment, experiment.configuration))
    seen: dict[str, Any] = {
        "tasks": [(task.record, task.identity, task.checkpoint_every_epochs) for task in tasks],
        "stage 1": [task.artifacts["stage1"].record for task in tasks if "stage1" in task.artifacts],
        "first": [dataclasses.asdict(one) for one in first],
        "goes to": [str(experiment.folder), experiment.storage_location, str(experiment.address)],
        "extend": experiment.extend,
    }
    if search:
        seen["definition"] = dict(search_definition(experiment).settings)
        seen["scopes"] = [[scope.suffix, scope.steps] for scope in experiment.scopes]
    return seen


Observe = Callable[[str, list[str]], str]


@pytest.fixture(scope="module")
def observe(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Observe:
    """What a dry run with these arguments plans, prints, or refuses, as text; each is made once."""
    place = tmp_path_factory.mktemp("cwd")
    (place / "settings.yaml").write_text("seed: 7\n")
    (place / "enqueued.yaml").write_text("- {lambda_mask: 2.0}\n")
    known: dict[str, str] = {}

    def dry(command: str, argv: list[str]) -> str:
        seen: list[Any] = []
        output = io.StringIO()
        parser_argv = ["--preset", "smoke", *argv, "--data-root", str(data_root), "--dry-run"]
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(place)
            patch.setattr(capacity, "check_capacity", lambda experiment, search: None)
            patch.setattr(ahead, "DRAWS", 2)  # these two only take time
            patch.setattr(study_parameters, "SURVEYED_TRIALS", 16)
            patch.setattr("platform.cli.planning.check_weights_of", lambda experiment: None)
            patch.setattr(
                "platform.cli.run_command.print_dry_run",
                lambda experiment, search: seen.append(planned(experiment, search=search)),
            )
            patch.setattr(sys, "argv", [command, *parser_argv])
            main = importlib.import_module(f"platform.{command}").main
            with redirect_stdout(output), redirect_stderr(output), pytest.raises(SystemExit) as status:
                run(main)
        # The line of the preset repeats every setting that was given: it would hide one without effect.
        shown = [line for line in output.getvalue().splitlines() if line.startswith(("#", "error"))]
        lines = [line for line in shown if not line.startswith("# preset")]
        return json.dumps([status.value.code, seen, lines], default=str)

    def once(command: str, argv: list[str]) -> str:
        key = json.dumps([command, argv])
        if key not in known:
            known[key] = dry(command, argv)
        return known[key]

    return once


def flags_of(command: str) -> set[str]:
    class Found(Exception):
        pass

    def found(parser: Parser, *arguments: Any) -> Any:
        raise Found({word for action in parser._actions for word in action.option_strings})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Parser, "parse_args", found)
        try:
            importlib.import_module(f"platform.{command}").main([])
        except Found as flags:
            return set(flags.args[0]) - {"-h", "--help", "--help-all"}
    raise AssertionError(f"{command} has no parser")


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def settings_of(command: str) -> list[str]:
    """Fields with a flag. What `tune` does with a configuration's is what `crossval` does: one function
    makes both experiments."""
    kinds = (Plan,) if command == "tune" else (FmpnOptions, Plan)
    names = [field.name for kind in kinds for field in dataclasses.fields(kind)]
    flags = flags_of(command) - OTHER[command].keys()
    return [name for name in names if flag(name) in flags and name not in AT_RUN_TIME]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_changes_a_plan(command: str, observe: Observe) -> None:
    idle, refused = [], set()
    for name in settings_of(command):
        context = CONTEXT.get(name, [])
        base = [*COMMANDS[command], *(context if set(context[::2]) <= flags_of(command) else [])]
        without, given = observe(command, base), observe(command, [*base, flag(name), SETTINGS[name]])
        assert json.loads(without)[0] == 0, without
        if without == given:
            idle.append(name)
        if json.loads(given)[0] != 0:
            refused.add((command, name))
    assert not idle
    assert refused == {one for one in REFUSED if one[0] == command}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_other_flag_changes_a_plan_or_what_is_printed(command: str, observe: Observe) -> None:
    base = COMMANDS[command]
    idle = []
    for name, words in OTHER[command].items():
        fewer = [word for word in base if word != name]
        argv = [*base, name, *words] if words else fewer
        if observe(command, argv) == observe(command, base):
            idle.append(name)
    assert not idle


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_has_an_entry(command: str) -> None:
    """A new flag without one fails here."""
    fields = {flag(field.name) for kind in (FmpnOptions, Plan) for field in dataclasses.fields(kind)}
    entries = (
        {flag(name) for name in (*SETTINGS, *AT_RUN_TIME)} | OTHER[command].keys() | TRIED_ELSEWHERE.keys()
    )
    assert flags_of(command) <= entries
    elsewhere = TRIED_ELSEWHERE.keys() & flags_of(command)
    assert flags_of(command) - fields == (OTHER[command].keys() | elsewhere) - fields


@pytest.mark.parametrize("name", AT_RUN_TIME)
def test_a_setting_that_only_running_reads_is_read(name: str, root: Path) -> None:
    file, text = AT_RUN_TIME[name]
    assert text in (root / file).read_text()


@pytest.mark.parametrize("command", SHOWN_IN)
def test_every_flag_of_the_other_commands_is_given_in_the_tests(command: str, root: Path) -> None:
    assert flags_of(command) == SHOWN_IN[command].keys()
    absent = [name for name, file in SHOWN_IN[command].items() if name not in (root / file).read_text()]
    assert not absent


def test_every_command_is_looked_at(root: Path) -> None:
    commands = {path.stem for path in (root / "platform").glob("*.py") if "\ndef main(" in path.read_text()}
    assert commands == COMMANDS.keys() | SHOWN_IN.keys()


def test_strict_cannot_be_asked_for_together_with_its_contrary(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`--strict` is the default, said aloud."""
    argv = ["--dataset", "ckplus", "--source", str(tmp_path), "--strict", "--skip-bad"]
    with pytest.raises(SystemExit):
        prepare.main(argv)
    assert "not allowed with argument --strict" in capsys.readouterr().err


def test_wild_draws_a_set_in_the_wild(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn: list[bool] = []

    def stop(out: Path, parameters: SetParameters, **options: Any) -> None:
        drawn.append(parameters.in_the_wild)
        raise UserError("seen")

    monkeypatch.setattr("datasets.synthetic.set_writer.write_set", stop)
    for more in ([], ["--wild"]):
        with pytest.raises(UserError, match="seen"):
            synthesize.main(["--out", str(tmp_path / "faces"), *more])
    assert drawn == [False, True]


@pytest.mark.parametrize("name", ["--cluster-slots", "--price-per-hour"])
def test_a_flag_of_the_dry_runs_estimate_is_refused_without_a_dry_run(name: str) -> None:
    with pytest.raises(UserError, match=f"{name} only changes what --dry-run estimates; add --dry-run"):
        reproduce.main(["--preset", "smoke", name, "2"])
