"""The method decides which flags and YAML keys there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.cli.asked_method import asked_method, register_folder
from platform.cli.parser import Parser
from platform.cli.planning import crossval_request
from platform.cli.run_flags import add_run_arguments
from platform.errors import UserError
from platform.models import method_names, plugins

TINY = Path(__file__).parent.parent / "data" / "methods" / "tiny_net.py"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_KNOWN", {})


def resolved(*argv: str) -> Any:
    parser = Parser(prog="crossval")
    add_run_arguments(parser, argv, search=False)
    return crossval_request(parser.parse_args(list(argv)))


def help_of(*argv: str) -> str:
    parser = Parser(prog="crossval")
    add_run_arguments(parser, argv, search=False)
    return parser.format_help()


def test_without_a_word_it_is_fmpn(tmp_path: Path) -> None:
    assert asked_method([]) == "fmpn"
    assert asked_method(["--method"]) == "fmpn"  # the full parser reports the missing name
    assert asked_method(["--config", str(tmp_path / "none.yaml")]) == "fmpn"


def test_a_flag_comes_before_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("method: cnn\n")
    assert asked_method(["--config", str(file)]) == "cnn"
    assert asked_method(["--config", str(file), "--method", "cnn_no_mask_loss"]) == "cnn_no_mask_loss"


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown method 'fmpm'; did you mean 'fmpn'\?"):
        asked_method(["--method=fmpm"])


def test_a_file_of_settings_never_loads_a_plugin(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"method: {TINY}:TinyNet\n")
    with pytest.raises(UserError, match="a file of a method can only be given by flag"):
        asked_method(["--config", str(file)])


def test_a_folder_brings_all_its_methods(tmp_path: Path) -> None:
    assert asked_method(["--plugins", str(TINY.parent), "--method", "tiny_net"]) == "tiny_net"
    assert "tiny_net" in method_names()
    with pytest.raises(UserError, match="has no Python file"):
        register_folder(tmp_path)


def test_flags_and_help_are_those_of_the_method() -> None:
    assert "--lambda-mask" in help_of()
    cnn, tiny = help_of("--method", "cnn"), help_of("--method", str(TINY))
    assert "--backbone " in cnn
    assert "--lambda-mask" not in cnn
    assert "--filters N" in tiny
    assert "Number of filters." in tiny
    assert "--backbone " not in tiny


def test_a_plugins_flags_preset_and_file_give_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("filters: 5\nseed: 3\n")
    argv = ("--method", f"{TINY}:TinyNet", "--config", str(file), "--baselines", "")
    made = resolved(*argv, "--tiny-learning-rate", "1e-3").configuration
    assert (made.method, made.filters, made.seed, made.tiny_learning_rate) == ("tiny_net", 5, 3, 1e-3)
    assert made.image_size_pixels == 32
    assert resolved("--method", str(TINY), "--preset", "quick").configuration.filters == 16


def test_a_flag_of_another_method_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as status:
        resolved("--method", "cnn", "--lambda-mask", "1")
    assert status.value.code == 2
    assert "--lambda-mask is an option of fmpn, but the method is cnn" in capsys.readouterr().err


def test_a_files_key_of_another_method_is_named_unless_it_says_nothing_new(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("lambda_mask: 3\n")
    with pytest.raises(UserError, match=r"lambda_mask in .* is an option of fmpn, but the method is cnn"):
        resolved("--method", "cnn", "--config", str(file))
    file.write_text("lambda_mask: 10.0\n")  # as earlier versions stored it with every method
    assert not hasattr(resolved("--method", "cnn", "--config", str(file)).configuration, "lambda_mask")


def test_a_file_gives_options_of_baselines(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("methods: {cnn: {classifier_learning_rate: 1e-2, stage2_batch_size: 4}}\n")
    plan = resolved("--config", str(file)).plan
    assert plan.methods == '{"cnn": {"classifier_learning_rate": 0.01, "stage2_batch_size": 4}}'
    for text, message in (
        ("methods: {cnn: {lambda_mask: 1}}\n", "unknown option of the method cnn in .* 'lambda_mask'"),
        ("methods: {cmm: {seed: 1}}\n", "unknown method 'cmm'"),
        ("methods: [cnn]\n", "methods in .* must map methods to their options"),
    ):
        file.write_text(text)
        with pytest.raises(UserError, match=message):
            resolved("--config", str(file))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("filters: int = 8", "trials: int = 8", "has the option trials; rename it"),
        ("filters: int = 8", "runs: int = 8", "has the option runs; rename it"),
        ('    """Number of filters."""\n', "", "every option must have a text below it, .* but filters in"),
    ],
)
def test_an_option_needs_a_name_and_a_help_text_of_its_own(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = TINY.read_text()
    assert old in text
    renamed = text.replace(old, new)
    if "filters" not in new and new:
        name = new.partition(":")[0]
        renamed = renamed.replace('"filters"', f'"{name}"').replace(".filters", f".{name}")
    (tmp_path / "mine.py").write_text(renamed)
    with pytest.raises(UserError, match=message):
        help_of("--method", str(tmp_path / "mine.py"))


def test_a_folder_may_hold_helpers_whose_names_begin_with_an_underscore(tmp_path: Path) -> None:
    (tmp_path / "tiny_net.py").write_bytes(TINY.read_bytes())
    (tmp_path / "_parts.py").write_text("x = 1\n")
    register_folder(tmp_path)
    assert "tiny_net" in method_names()
    (tmp_path / "parts.py").write_text("x = 1\n")
    with pytest.raises(UserError, match=r"--plugins .*: a method's file must have one class"):
        register_folder(tmp_path)
