from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from platform.__main__ import COMMANDS
from platform.cli.parser import Parser, in_words, run
from platform.errors import HungUp, Terminated, UserError


def raising(error: BaseException) -> Callable[[list[str]], int | None]:
    def main(argv: list[str]) -> int | None:
        raise error

    return main


def status_of(main: Callable[[list[str]], int | None]) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        run(main)
    return ended.value.code


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1)])
def test_what_main_returns_is_the_exit_status(returned: int | None, status: int) -> None:
    assert status_of(lambda argv: returned) == status


def test_main_receives_the_arguments_after_the_programs_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["program", "--a", "b"])
    seen: list[str] = []
    status_of(lambda argv: seen.extend(argv))
    assert seen == ["--a", "b"]


def test_a_user_error_is_one_line_on_stderr_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(raising(UserError("folds must be >= 2."))) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "error: folds must be >= 2.\n")


def test_a_name_in_an_error_starts_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(raising(UserError("no folder a\nerror: \x1b[2Jall is well."))) == 2
    assert capsys.readouterr().err == "error: no folder a\\nerror: \\x1b[2Jall is well.\n"


@pytest.mark.parametrize(
    ("stop", "status", "word"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (Terminated(), 143, "terminated"),
        (HungUp(), 129, "hung up"),
    ],
)
def test_a_stop_from_outside_says_how_to_go_on(
    stop: BaseException, status: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(raising(stop)) == status
    said = capsys.readouterr().err
    assert said == f"\n{word}: finished work is stored; run the same command again to continue.\n"


def test_a_fault_of_ours_is_one_line_with_a_file_and_status_70(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(raising(ZeroDivisionError("by zero"))) == 70
    captured = capsys.readouterr()
    assert captured.err.startswith(
        "error: this is a bug in the program, not in your input: ZeroDivisionError"
    )
    assert captured.err.count("\n") == 1


def parser() -> Parser:
    made = Parser(prog="program")
    made.add_argument("--folds", type=int)
    made.add_argument("--format", choices=("screen", "csv"))
    return made


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--fold", "3"], "unknown argument '--fold'; did you mean --folds? Known flags: --folds, --format"),
        (["--fodls=3"], "unknown argument '--fodls=3'; did you mean --folds?"),
        (["csv"], "unknown argument 'csv'; Known flags: --folds, --format, --help, -h"),
        (["--folds", "many"], "--folds takes a whole number, but got 'many'."),
        (["--format", "pdf"], "--format takes screen or csv, but got 'pdf'."),
        (["--folds"], "--folds needs a value after it."),
    ],
)
def test_bad_flags_end_with_status_2_and_point_to_the_help(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(argv)
    assert ended.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"error: {message}")
    assert second.strip() == "see program --help"


def test_a_flag_is_never_guessed_from_its_beginning() -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--fol", "3"])
    assert parser().parse_args(["--folds", "3"]).folds == 3


def test_no_command_imports_anything_heavy_for_its_help(root: Path) -> None:
    code = """
import importlib, sys
for name in ("tune", "crossval", "table", "prepare", "synthesize"):
    try:
        importlib.import_module(f"platform.{name}").main(["--help"])
    except SystemExit as ended:
        assert ended.code == 0
heavy = {"torch", "torchvision", "ray", "optuna", "numpy", "cv2", "pyarrow", "matplotlib", "yaml"}
assert not heavy & set(sys.modules), sorted(heavy & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("examples:") == 5


SCREEN_LINES, SCREEN_COLUMNS = 45, 100
OF_THE_METHOD = {"--lambda-mask", "--stage1-batch-size", "--generator-width"}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "runs"])
def test_help_is_one_screen_and_help_all_has_the_rest(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(SCREEN_COLUMNS))
    main = importlib.import_module(f"platform.{name}").main
    shown = {}
    for flag in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as ended:
            main([flag])
        if ended.value.code == 0:
            shown[flag] = capsys.readouterr().out
    lines = shown["--help"].splitlines()
    assert len(lines) <= SCREEN_LINES
    if "--help-all" in shown:
        assert max(map(len, lines)) <= SCREEN_COLUMNS + 5
    if name in ("tune", "crossval", "transfer", "reproduce"):
        assert not [flag for flag in OF_THE_METHOD if flag in shown["--help"]]
        assert not [flag for flag in OF_THE_METHOD if flag not in shown["--help-all"]]
        assert "(default 10)" in shown["--help"]
    assert "python -m platform" not in shown["--help"], "commands as they work here"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("argument --x: invalid float value: 'a'", "--x takes a number, but got 'a'."),
        ("argument --x: invalid Path value: 'a'", "--x got 'a', which it does not take."),
        ("argument --masks: expected at least one argument", "--masks needs a value after it."),
        ("argument --dry-run: ignored explicit argument 'yes'", "--dry-run takes no value, but got 'yes'."),
        ("the following arguments are required: --out", "--out must be given."),
        ("argument --a: not allowed with argument --b", "argument --a: not allowed with argument --b"),
    ],
)
def test_argparses_messages_are_in_words(message: str, words: str) -> None:
    assert in_words(message) == words


def test_settings_that_are_misspelt_end_before_torch_and_ray_are_imported(root: Path, tmp_path: Path) -> None:
    code = """
import sys
from platform import crossval, tune
from platform.errors import UserError
for command, argv in (
    (tune, ["--trails", "3"]), (tune, ["--backbone", "resnet19"]), (tune, ["--space", "quik"]),
    (crossval, ["--dataset", "mni"]), (crossval, ["--baselines", "cnm"]), (crossval, ["--seed", "x"]),
    (crossval, ["--augmentation", "papr"]), (crossval, ["--preset", "quik"]),
    (crossval, ["--lambda-mask", "-1"]),
):
    try:
        command.main(argv)
    except (UserError, SystemExit):
        continue
    raise AssertionError(argv)
assert not {"ray", "torch"} & set(sys.modules), sorted({"ray", "torch"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


HANGING_UP = """
import os, signal, sys
from platform.cli.parser import run
def main(argv):
    try:
        os.kill(os.getpid(), signal.SIGHUP)
    except KeyboardInterrupt:
        raise KeyboardInterrupt from None  # as Tune does with any
    return 0
run(main)
"""


@pytest.mark.parametrize(("ignored", "status"), [(False, 129), (True, 0)])
def test_a_terminal_that_goes_away_ends_a_command_unless_nohup_says_otherwise(
    ignored: bool, status: int, root: Path
) -> None:
    usual = ["env", "--default-signal=HUP"]  # these tests may run under nohup themselves
    command = [*(["nohup"] if ignored else usual), sys.executable, "-c", HANGING_UP]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == status, ended.stderr
    assert ("hung up: finished work is stored" in ended.stderr) == (not ignored)


@pytest.mark.parametrize("kind", ["ClusterLost", "LeaseLost"])
def test_what_stops_ray_in_mid_air_ends_without_an_orderly_end(kind: str, root: Path) -> None:
    code = f"""
import atexit
from platform.cli.parser import run
from platform.errors import {kind}
def main(argv):
    atexit.register(print, "an orderly end")
    print("a result")
    raise {kind}("it is gone.")
run(main)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "a result\n", "error: it is gone.\n")
