"""`transfer` and `reproduce` as a person runs them: real processes, tiny faces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from platform.config.presets import preset
from platform.inventory.status import status_of
from platform.runs.store import ResultsStore
from tests.distributed.processes import LINUX_ONLY
from tests.tiny_faces import SIZE, prepare_tiny

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(900)]

SHORT = (
    "--preset", "smoke", "--backbone", "resnet18",
    "--stage1-constant-epochs", "0", "--stage2-constant-epochs", "0",
)  # fmt: skip
SMALL = (*SHORT, "--folds", "2", "--holdout-share", "0.3")


@pytest.fixture(scope="module")
def three_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Counterparts of CK+, MMI and AffectNet."""
    assert preset("smoke")["load_size_pixels"] == SIZE
    root = tmp_path_factory.mktemp("sets")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_mmi", subjects=6, without=("fear",), others="clip ")
    prepare_tiny(root, "synthetic_wild", subjects=8, without=("neutral",))
    return root


def ended(
    root: Path, command: str, *arguments: str, settings: tuple[str, ...] = SMALL
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"platform.{command}", *settings, *arguments],
        cwd=root, capture_output=True, text=True, timeout=600,
    )  # fmt: skip


def rows_of(runs: Path, name: str) -> list[tuple[str, str, str, str]]:
    content = json.loads((runs / "experiments" / name / "experiment.json").read_text())
    return [(row["method"], row["dataset"], row["masks"], row["generator"]) for row in content["rows"]]


def test_the_paper_is_reproduced_and_a_set_prepared_later_only_adds_to_it(
    root: Path, three_sets: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    place = ("--runs", str(runs), "--data-root", str(three_sets), "--name", "paper")
    done = ended(root, "reproduce", *place, "--no-controls", "--lambdas", "")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "more lines: see the report" in done.stdout  # two tables and the ablation are longer than a screen
    folder = runs / "experiments" / "paper"
    effects = (folder / "effects.md").read_text()
    assert effects.startswith("| component | data set | backbone, seeds | points | 95 % CI | p (Holm) |")
    for name in ("effects.md", "figures/effects.png", "table.tex", "folds-synthetic_wild.json"):
        assert (folder / name).is_file(), name
    assert ("fmpn", "synthetic_wild", "synthetic", "none") in rows_of(runs, "paper")
    status = status_of(ResultsStore(runs), "paper")
    assert (status.state, status.failures) == ("finished", ())
    assert status.progress is not None
    assert (status.progress.state, status.progress.counts["runs_failed"]) == ("finished", 0)

    before = {path: path.stat().st_mtime_ns for path in runs.glob("*/*/manifest.json")}
    dry = ended(
        root, "reproduce", *place, "--no-controls", "--lambdas", "", "--dry-run",
        "--cluster-slots", "4", "--price-per-hour", "2",
    )  # fmt: skip
    assert "estimate: 0 of" in dry.stdout, dry.stderr
    assert "finished runs of this experiment" in dry.stdout

    more = ended(
        root, "transfer", "--runs", str(runs), "--data-root", str(three_sets), "--name", "transferred",
        "--source", "synthetic", "--target", "synthetic_wild", "--repeats", "2", "--baselines", "cnn",
    )  # fmt: skip
    assert more.returncode == 0, more.stderr
    transferred = rows_of(runs, "transferred")
    assert transferred.count(("fmpn", "synthetic_wild", "synthetic", "none")) == 2
    assert len(list((runs / "experiments" / "transferred").glob("folds-synthetic_wild*.json"))) >= 2
    # The first repeat's runs are those of the reproduction: nothing finished is run again.
    assert (
        before.items() <= {path: path.stat().st_mtime_ns for path in runs.glob("*/*/manifest.json")}.items()
    )


def test_a_data_set_is_left_out_and_the_name_stays_its_experiments(
    root: Path, three_sets: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    place = ("--runs", str(runs), "--data-root", str(three_sets), "--name", "left-out")
    sets = ("--leave-one-out", "synthetic_mmi,synthetic", "--classes", "common", "--baselines", "cnn")
    done = ended(root, "transfer", *place, *sets, settings=SHORT)
    assert done.returncode == 0, done.stderr
    assert rows_of(runs, "left-out") == [
        ("fmpn", "synthetic+synthetic_mmi", "own", "own"), ("cnn", "synthetic+synthetic_mmi", "none", "none"),
    ]  # fmt: skip
    text = (runs / "experiments" / "left-out" / "table.md").read_text()
    assert "Fold 0: synthetic |" in text
    assert "Fold 1: synthetic_mmi |" in text
    assert "fold k tests data set k and trains on the others only" in text

    before = {path: path.stat().st_mtime_ns for path in runs.glob("*/*/manifest.json")}
    assert ended(root, "transfer", *place, *sets, settings=SHORT).returncode == 0
    assert before == {path: path.stat().st_mtime_ns for path in runs.glob("*/*/manifest.json")}

    other = ended(
        root, "transfer", *place, "--source", "synthetic", "--target", "synthetic_wild", "--baselines", "cnn",
        "--dry-run", settings=SHORT,
    )  # fmt: skip
    assert other.returncode == 2
    assert "left-out has a row that is not asked for now (FMPN on synthetic+" in other.stderr


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("transfer", ("--source", "synthetic", "--target", "synthetic"), "from one data set to another"),
        ("transfer", ("--source", "synthetic_mmi"), "--classes common"),
        ("reproduce", ("--dataset", "papr"), "did you mean 'paper'?"),
        ("reproduce", ("--seeds", "0,0"), "duplicate value 0"),
        ("reproduce", ("--dry-run", "--cluster-slots", "0"), "--cluster-slots takes a whole number above 0"),
    ],
)
def test_bad_input_is_one_message_with_status_2_and_nothing_written(
    root: Path, three_sets: Path, tmp_path: Path, command: str, arguments: tuple[str, ...], message: str
) -> None:
    runs = tmp_path / "runs"
    done = ended(root, command, "--runs", str(runs), "--data-root", str(three_sets), *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not runs.exists()
