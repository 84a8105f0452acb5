"""What a command does with a method that scores sequences before anything runs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasets.prepared import layer_preparation
from platform.cli.parser import run
from platform.cli.planning import prepare_layers_if_embedded
from platform.config.configuration import configuration_of
from platform.models import plugins
from tests.tiny_faces import prepare_tiny
from tests.tiny_sequences import prepare_tiny_sequences

TOY = Path(__file__).parent.parent / "data" / "methods" / "sequence_pairs.py"
Ended = tuple[object, str, str]


@pytest.fixture
def dry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs a command dry, in this process; exit status, stdout, stderr."""
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})

    def ended(command: str, *argv: str, method: Path = TOY, baselines: str = "") -> Ended:
        flags = ["--method", str(method), "--preset", "smoke", "--folds", "3", "--baselines", baselines]
        folders = ["--data-root", str(tmp_path / "data"), "--runs", str(tmp_path / "runs"), "--dry-run"]
        monkeypatch.setattr(sys, "argv", [command, *argv, *flags, *folders])
        main = importlib.import_module(f"platform.{command}").main
        with pytest.raises(SystemExit) as status:
            run(main)
        return (status.value.code, *capsys.readouterr())

    return ended


@pytest.mark.parametrize("command", ["crossval", "tune"])
def test_it_is_planned_on_a_set_that_is_not_drawn(dry: Callable[..., Ended], command: str) -> None:
    """And its search transfers to no set without sequences by itself."""
    status, out, err = dry(command, "--dataset", "synthetic")
    assert (status, err) == (0, "")
    assert "420 images and 140 sequences of 20 subjects" in out
    assert "mask transfer to: none" in out


REFUSED = "a method that needs sequences cannot run on Synthetic faces in the wild: each of its frames shows"


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("crossval", ["--dataset", "synthetic_wild"]),
        ("crossval", ["--dataset", "synthetic", "--transfer-to", "synthetic_wild"]),
        ("tune", ["--dataset", "synthetic", "--transfer-to", "synthetic_wild"]),
    ],
)
def test_a_set_without_sequences_is_refused_as_data_and_as_target(
    dry: Callable[..., Ended], command: str, argv: list[str]
) -> None:
    status, _, err = dry(command, *argv)
    assert status == 2
    assert REFUSED in err
    assert "Traceback" not in err


def test_a_baseline_needs_its_layers_as_the_method_does(dry: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "sequence_pairs.py").write_text(TOY.read_text())
    flags = ("--dataset", "synthetic_wild", "--plugins", str(tmp_path / "plugins"))
    status, _, err = dry("crossval", *flags, method=Path("cnn"), baselines="sequence_pairs")
    assert status == 2
    assert REFUSED in err


def test_a_set_that_lacks_the_layer_names_the_flag_that_adds_it(
    dry: Callable[..., Ended], tmp_path: Path
) -> None:
    prepare_tiny(tmp_path / "data", "ckplus", subjects=6)
    status, _, err = dry("crossval", "--dataset", "ckplus")
    assert status == 2
    assert "lacks the layer 'sequences' (all frames of the labelled sequences, in order); add it with" in err
    assert "fer prepare" in err
    assert "--sequences" in err


def test_a_prepared_layer_is_all_that_it_asks_for(dry: Callable[..., Ended], tmp_path: Path) -> None:
    prepare_tiny_sequences(tmp_path / "data", "ckplus", subjects=6)
    status, out, err = dry("crossval", "--dataset", "ckplus")
    assert (status, err) == (0, "")
    assert "36 images and 18 sequences of 6 subjects" in out


PAIRS = "return SubjectPairs(single, train.sequences.subjects.tolist())"
SHORT = """class Short(TupleItems):
    def epoch(self, random):
        return self.single.epoch(random)[:, None]

    def batch(self, index, draw):
        return self.single.batch(index.repeat(2, 1).flatten(), None)


SMALL = {"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return torch.stack([first, torch.tensor(second)], dim=1)", "return first.float()",
         "an epoch of the method mine must be int64 [n] or [n, m] with n >= 1, but SubjectPairs gave floa"),
        (PAIRS, "return Short(single)",
         "a batch of the method mine must have one item per row of its index, but Short made 4 items of 2 "),
        (PAIRS, "return train",
         "items of the method mine must return Items (platform/models/items.py), but returned TrainView"),
        ('needs = frozenset({"sequences"})', "needs = frozenset()",
         "scores sequences, so it must declare needs with 'sequences' among them"),
    ],
)  # fmt: skip
def test_items_of_the_wrong_shape_are_one_message(
    dry: Callable[..., Ended], tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = TOY.read_text()
    assert old in text
    file = tmp_path / "mine.py"
    file.write_text(text.replace(old, new).replace("SMALL = {", SHORT))
    status, _, err = dry("crossval", "--dataset", "synthetic", method=file)
    assert status == 2
    assert message in err
    assert "Traceback" not in err


def test_an_embedded_set_gets_the_layers_that_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Any] = []

    def noted(store: Any, names: Any, *arguments: Any, **options: Any) -> None:
        made.append((store.dataset, names))

    monkeypatch.setattr(layer_preparation, "prepare_layers", noted)
    configuration = configuration_of("cnn", load_size_pixels=34, image_size_pixels=32)
    for dataset in ("synthetic", "ckplus"):
        prepare_tiny(tmp_path, dataset)
        prepare_layers_if_embedded(tmp_path, dataset, configuration, {"sequences"})
        prepare_layers_if_embedded(tmp_path, dataset, configuration, set())
    assert made == [("synthetic", ["sequences"])]
    assert "Adding the layers sequences to synthetic" in capsys.readouterr().out
    prepare_tiny_sequences(tmp_path / "whole", "synthetic")
    prepare_layers_if_embedded(tmp_path / "whole", "synthetic", configuration, {"sequences"})
    assert len(made) == 1
