"""What a settings file may say beside settings: its preset, its plug-ins, its classes."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import yaml

from platform.cli.asked_method import asked_preset
from platform.cli.parser import Parser
from platform.cli.planning import crossval_request
from platform.cli.run_command import printed_config
from platform.cli.run_flags import add_run_arguments
from platform.cli.settings_reader import classes_of, read_settings
from platform.errors import UserError
from platform.models import plugins
from platform.models.plugins import read_plugin, register

TINY = Path(__file__).parent.parent / "data" / "methods" / "tiny_net.py"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_KNOWN", {})


def written(folder: Path, text: str) -> Path:
    path = folder / "winner.yaml"
    path.write_text(text)
    return path


def parsed(*argv: str) -> argparse.Namespace:
    parser = Parser(prog="crossval")
    add_run_arguments(parser, argv, search=False)
    return parser.parse_args(list(argv))


def test_a_file_names_its_preset_and_a_flag_another(tmp_path: Path) -> None:
    file = str(written(tmp_path, "preset: smoke\n"))
    assert asked_preset([]) == "quick"
    assert asked_preset(["--config", str(tmp_path / "absent.yaml")]) == "quick"
    assert parsed("--config", file).preset == "smoke"
    assert parsed("--config", file, "--preset", "paper").preset == "paper"
    assert crossval_request(parsed("--config", file)).plan.preset == "smoke"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("preset: [a]", r"preset in .*winner.yaml must be a name, but got \['a'\]"),
        ("preset: smok", "unknown preset of the method fmpn 'smok'; did you mean 'smoke'"),
        ("clases: [anger]", "unknown key in .*winner.yaml 'clases'; did you mean 'classes'"),
        ("plugins: x", "must map methods to the SHA-256 of their files, but got 'x'"),
        ("folds: 10\nfold: 1", "unknown key in .* 'fold'; did you mean 'folds'"),
        ("methods: {cnn: {bakbone: vgg16}}", "method cnn in .* 'bakbone'; did you mean 'backbone'"),
    ],
)  # fmt: skip
def test_a_file_that_was_edited_into_nonsense_is_one_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        crossval_request(parsed("--config", str(written(tmp_path, text))))


def test_classes_are_names(tmp_path: Path) -> None:
    assert classes_of(written(tmp_path, "classes: [anger, fear]")) == ("anger", "fear")
    with pytest.raises(UserError, match=r"classes in .* must be a list of names, but got 3"):
        classes_of(written(tmp_path, "classes: 3"))


def test_a_method_in_a_file_of_its_own_is_named_with_its_hash_and_never_loaded(tmp_path: Path) -> None:
    argv = ["--method", str(TINY), "--baselines", ""]
    file = written(tmp_path, printed_config(crossval_request(parsed(*argv)), argv))
    sha256 = read_plugin(str(TINY)).sha256
    assert yaml.safe_load(file.read_text())["plugins"] == {"tiny_net": sha256}
    again = crossval_request(parsed("--config", str(file), "--method", str(TINY)))
    assert again.configuration.method == "tiny_net"
    plugins._KNOWN.clear()
    for more in ([], ["--method", "cnn"]):
        with pytest.raises(UserError, match=rf"tiny_net, .*{sha256}.*pass --method FOLDER/tiny_n"):
            crossval_request(parsed("--config", str(file), *more))
    changed = tmp_path / "tiny_net.py"
    changed.write_text(TINY.read_text() + "# changed\n")
    with pytest.raises(UserError, match=rf"{sha256}, but .*tiny_net.py has [0-9a-f]{{64}};"):
        crossval_request(parsed("--config", str(file), "--method", str(changed)))


def test_a_baseline_in_a_file_of_its_own_must_be_given_too(tmp_path: Path) -> None:
    register(read_plugin(str(TINY)))
    argv = ["--method", "cnn", "--baselines", "tiny_net"]
    file = written(tmp_path, printed_config(crossval_request(parsed(*argv)), argv))
    assert read_settings(file, "cnn")["baselines"] == ("tiny_net",)
    plugins._KNOWN.clear()
    with pytest.raises(UserError, match="or --plugins FOLDER if it is a baseline"):
        read_settings(file, "cnn")
    given = parsed("--config", str(file), "--plugins", str(TINY.parent))
    assert crossval_request(given).plan.baselines == ("tiny_net",)
