"""Methods of a user's own beyond one search: compared, searched for each fold, shown in TensorBoard."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from platform.runs.store import ResultsStore
from tests.distributed.processes import LINUX_ONLY
from tests.distributed.search_command import Command
from tests.every_method import OWN_FILES, SEQUENCE_FILES

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(600)]

FILES = OWN_FILES | SEQUENCE_FILES
FOLDER = next(iter(FILES.values())).parent
SMALL = ("--preset", "smoke", "--transfer-to", "none")
TOGETHER = (
    "--method", str(FILES["three_stages"]), "--plugins", str(FOLDER),
    "--baselines", "pixel_svm,two_players,sequence_pairs", "--folds", "2", *SMALL,
)  # fmt: skip
NESTED = ("--selection-rule", "nested", "--folds", "2", "--rounds", "3,2", "--trials-in-flight", "1")
CURVES = {
    "three_stages": {"first/loss", "second/loss", "stage2/loss", "stage2/training_accuracy"},
    "two_players": {"stage2/critic_loss", "stage2/classifier_loss"},
    "pixel_svm": set(),
    "sequence_pairs": {"stage2/loss"},
}
"""Scalars of each method's fold runs, one group for each stage."""


@pytest.fixture
def own(command: Callable[[str], Command]) -> Command:
    """A command without settings of its own: flags say everything."""
    made = command("own")
    (made.folder / "tiny.yaml").write_text("seed: 0\n")
    return made


def rows_of(command: Command) -> list[dict[str, Any]]:
    text = (command.runs / "experiments" / "tiny" / "experiment.json").read_text()
    rows: list[dict[str, Any]] = json.loads(text)["rows"]
    return rows


def scalars(folder: Path) -> set[str]:
    """Names of the scalars in the event files of the folder, as TensorBoard reads them."""
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return set(accumulator.Tags()["scalars"])


def logs_of(command: Command) -> Path:
    (folder,) = (command.runs / "experiments" / "tiny").rglob("00-*")
    return folder.parent


def check_shown(command: Command, names: tuple[str, ...]) -> None:
    """Table, event files and saved methods of a finished experiment with these rows."""
    rows = rows_of(command)
    assert [row["method"] for row in rows] == list(names)
    table = command.tables()["table.md"].decode()
    store = ResultsStore(command.runs)
    for index, row in enumerate(rows):
        assert row["title"] in table
        folder = logs_of(command) / f"{index:02d}-{row['method']}-synthetic"
        assert f"test/accuracy of each fold, {row.get('unit', 'image')}s" in scalars(folder)
        for run in row["runs"]:
            found = scalars(folder / f"fold-{run['fold']}")
            assert CURVES[row["method"]] <= found
            assert {name.partition("/")[0] for name in found} == {
                name.partition("/")[0] for name in CURVES[row["method"]]
            }
            manifest = store.manifest("fold_runs", run["identity"])
            assert manifest is not None
            assert ("item_cache" in manifest) == (row["method"] == "pixel_svm")


def test_several_are_cross_validated_together(own: Command) -> None:
    own.start(*TOGETHER, command="crossval")
    assert own.wait() == 0, own.err()
    assert own.err() == ""
    check_shown(own, ("three_stages", "pixel_svm", "two_players", "sequence_pairs"))
    assert len(list(own.runs.glob("artifacts/*/manifest.json"))) == 6  # three of each fold, not of each run


def test_a_file_is_searched_for_each_fold_on_its_own(own: Command) -> None:
    search(own, "pixel_svm", trials=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["three_stages", "two_players", "sequence_pairs"])
def test_the_others_are_searched_for_each_fold_too_killed_and_resumed(own: Command, name: str) -> None:
    search(own, name, trials=2, kill_at=12)


def search(own: Command, name: str, *, trials: int, kill_at: int = 0) -> None:
    """A nested search, killed at so many fold runs and started again."""
    flags = ("--method", str(FILES[name]), "--baselines", "", *SMALL, *NESTED, "--trials", str(trials))
    if kill_at:
        own.start(*flags)
        own.until(lambda: own.fold_runs() >= kill_at)
        assert own.signal(signal.SIGKILL) == -signal.SIGKILL
    finished = own.finished()
    own.start(*flags)
    assert own.wait() == 0, own.err()
    assert own.err() == ""
    assert finished.items() <= own.finished().items(), "a finished run was run again"
    (row,) = rows_of(own)
    assert (row["method"], row["selection_rule"]) == (name, "nested")
    check_shown(own, (name,))
    content = json.loads((own.runs / "experiments" / "tiny" / "experiment.json").read_text())
    assert len(content["studies"]) == 2
    assert all(len(study["trials"]) == trials for study in content["studies"])


@pytest.mark.slow
def test_a_cross_validation_is_killed_and_resumed(own: Command) -> None:
    own.start(*TOGETHER, command="crossval")
    own.until(lambda: own.fold_runs() >= 2)
    assert own.signal(signal.SIGKILL) == -signal.SIGKILL
    finished = own.finished()
    own.start(*TOGETHER, command="crossval")
    assert own.wait() == 0, own.err()
    assert finished.items() <= own.finished().items(), "a finished run was run again"
    check_shown(own, ("three_stages", "pixel_svm", "two_players", "sequence_pairs"))
