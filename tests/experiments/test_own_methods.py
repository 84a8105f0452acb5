"""Methods of a user's own in commands that put one data set's artifacts in the place of another's."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform.errors import UserError
from platform.models import plugins
from tests.every_method import OWN_FILES
from tests.tiny_faces import prepare_tiny


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})
    yield
    plugins._KNOWN.clear()


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_wild", subjects=8, without=("neutral",))
    return root


def planned(
    command: str, data_root: Path, runs: Path, *arguments: str, capsys: pytest.CaptureFixture[str]
) -> str:
    """What `python -m platform.COMMAND ... --dry-run` prints, in this process."""
    main: Any = importlib.import_module(f"platform.{command}").main
    place = ("--data-root", str(data_root), "--runs", str(runs), "--preset", "smoke", "--dry-run")
    assert main([*arguments, "--baselines", "", *place]) in (None, 0)
    return capsys.readouterr().out


@pytest.mark.parametrize("name", OWN_FILES)
def test_a_transfer_is_refused_in_one_sentence_because_nothing_could_be_transferred(
    name: str, data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--method", str(OWN_FILES[name]), "--source", "synthetic", "--target", "synthetic_wild")
    with pytest.raises(UserError, match=rf"motion masks or a mask generator .*, but {name} uses neither"):
        planned("transfer", data_root, tmp_path, *arguments, capsys=capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", OWN_FILES)
def test_rows_on_a_target_say_that_nothing_is_transferred(
    name: str, data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--method", str(OWN_FILES[name]), "--folds", "2", "--transfer-to", "synthetic_wild")
    shown = planned("crossval", data_root, tmp_path, *arguments, capsys=capsys)
    said = f"nothing is transferred to synthetic_wild: {name} uses no motion masks and trains on its own"
    assert said in shown
    assert "nothing was run" in shown
    shown = planned("crossval", data_root, tmp_path, *arguments[:-2], capsys=capsys)
    assert "nothing is transferred" not in shown


def test_a_method_with_masks_says_no_such_thing(
    data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = planned(
        "crossval", data_root, tmp_path, "--folds", "2", "--transfer-to", "synthetic_wild", capsys=capsys
    )
    assert "nothing is transferred" not in shown
