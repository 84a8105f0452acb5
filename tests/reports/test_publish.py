from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from platform.errors import UserError
from platform.reports.next_commands import SEEDS_PURPOSE, WINNER_PURPOSE, next_commands
from platform.reports.publish import Presentation, present
from platform.runs.store import ResultsStore
from tests.fake_runs import demo_experiment, fake_study, png_bytes, write_experiment, write_row


@pytest.fixture(scope="module")
def presented(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Presentation]:
    root = tmp_path_factory.mktemp("runs")
    store, experiment = demo_experiment(root)
    faces = root / "faces.png"
    faces.write_bytes(png_bytes(np.full((8, 8, 3), 7, dtype=np.uint8)))
    return store.experiment_folder(experiment["name"]), present(store, experiment, {"Faces": faces})


def events(folder: Path) -> dict[str, list[float]]:
    """Tag to values of the scalars that lie directly in `folder`."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return {tag: [event.value for event in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}


def test_everything_lies_in_the_experiments_folder(presented: tuple[Path, Presentation]) -> None:
    folder, made = presented
    assert sorted(path.name for path in folder.iterdir()) == [
        "experiment.json", "figures", "report.html", "table.csv", "table.json", "table.md", "table.tex",
        "tensorboard",
    ]  # fmt: skip
    assert sorted(path.name for path in (folder / "figures").iterdir()) == [
        "confusion-images-00-fmpn-synthetic.png",
        "confusion-images-01-cnn-synthetic.png",
        "confusion-images-02-cnn_no_mask_loss-synthetic.png",
        "confusion-images-03-fmpn-synthetic_wild.png",
        "confusion-sequences-00-fmpn-synthetic.png",
        "confusion-sequences-01-cnn-synthetic.png",
        "confusion-sequences-02-cnn_no_mask_loss-synthetic.png",
        "confusion-sequences-03-fmpn-synthetic_wild.png",
        "curves-stage1.png",
        "curves-stage2.png",
        "faces.png",
        "masks-00-fmpn-synthetic.png",  # of fold 0, which all rows with masks share
        "pictures-00-fmpn-synthetic.png",
        "pictures-02-cnn_no_mask_loss-synthetic.png",
        "pictures-03-fmpn-synthetic_wild.png",
        "reliability-00-fmpn-synthetic.png",
        "reliability-01-cnn-synthetic.png",
        "reliability-02-cnn_no_mask_loss-synthetic.png",
        "reliability-03-fmpn-synthetic_wild.png",
        "study.png",
    ]
    assert all(path.is_file() for path in (*made.table_files.values(), *made.figures.values(), made.report))
    assert "FMPN" in made.text
    assert "Chance level" not in made.text, "notes are in the report and the files"
    page = made.report.read_text()
    assert all(place in page for place in ("Chance level", *made.conclusions))
    assert "Chance level" in made.table_files["markdown"].read_text()
    assert str(folder / "tensorboard") in "".join(made.next_commands.values())
    assert made.report.read_text().count("data:image/png;base64,") == len(made.figures) == 20


def test_tensorboard_has_curves_fold_accuracies_pictures_and_trials(
    presented: tuple[Path, Presentation],
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logs = presented[1].tensorboard
    fold = events(logs / "00-fmpn-synthetic" / "fold-0")
    assert fold["stage2/loss"] == pytest.approx([2, 1, 2 / 3, 0.5, 0.4])
    assert len(fold["stage1/loss"]) == 3
    assert "stage1/loss" not in events(logs / "01-cnn-synthetic" / "fold-0")
    document = json.loads(presented[1].table_files["json"].read_text())
    expected = [fold["image_accuracy"] for fold in document["sections"][0]["rows"][0]["folds"]]
    assert events(logs / "00-fmpn-synthetic")["test/accuracy of each fold, images"] == pytest.approx(
        expected, abs=1e-5
    )
    figures = EventAccumulator(str(logs / "figures"))
    figures.Reload()
    assert sorted(figures.Tags()["images"]) == sorted(presented[1].figures)
    assert events(logs / "trials" / "trial-0005") == {"score": pytest.approx([0.57])}
    assert events(logs / "trials" / "trial-0004") == {}  # failed: no score is made up
    assert len(list((logs / "trials").iterdir())) == 6


def test_presenting_again_rewrites_the_same_bytes_and_no_second_log(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    experiment = write_experiment(
        store, [write_row(store, folds=2), write_row(store, "cnn", "CNN", 0.6, folds=2)]
    )
    folder = store.experiment_folder(experiment["name"])

    def contents() -> dict[str, bytes]:
        kept = [*folder.glob("table.*"), folder / "report.html", *folder.glob("figures/*")]
        return {str(path.relative_to(folder)): path.read_bytes() for path in kept}

    present(store, experiment)
    first, logs = contents(), sorted(path.parent for path in folder.glob("tensorboard/**/events*"))
    present(store, experiment)
    assert contents() == first
    assert sorted(path.parent for path in folder.glob("tensorboard/**/events*")) == logs
    # With a row less, nothing of it stays behind.
    present(store, {**experiment, "rows": experiment["rows"][:1]})
    assert not list(folder.glob("figures/*cnn*"))
    assert not (folder / "tensorboard" / "01-cnn-synthetic").exists()


def test_an_incomplete_experiment_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    row = write_row(store, folds=2)
    row["runs"].pop()
    experiment = write_experiment(store, [row])
    folder = store.experiment_folder(experiment["name"])
    with pytest.raises(UserError, match="fold 1 is missing"):
        present(store, experiment)
    assert [path.name for path in folder.iterdir()] == ["experiment.json"]
    assert "FMPN (INCOMPLETE)" in present(store, experiment, partial=True).text


def test_an_experiment_without_any_finished_fold_can_be_shown_partially(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    experiment = write_experiment(store, [write_row(store, folds=2) | {"runs": []}])
    made = present(store, experiment, partial=True)
    assert "FMPN\n(INCOMPLETE)" in made.text or "FMPN (INCOMPLETE)" in made.text
    assert made.conclusions == ()


def test_rows_of_several_seeds_have_files_folders_and_titles_of_their_own(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = [write_row(store, folds=2, seed=seed) | {"seed": seed} for seed in (0, 1)]
    command = "python -m platform.crossval --seeds 2 --name tune-synthetic-quick"
    config = {"method": "fmpn", "seed": 0, "seeds": 2}
    made = present(store, write_experiment(store, rows, command=command, config=config))
    for seed in (0, 1):
        assert (made.tensorboard / f"{seed:02d}-fmpn-synthetic-seed-{seed}" / "fold-1").is_dir()
        (title,) = (
            title
            for title in made.figures
            if title.startswith("Confusion") and f"on synthetic, seed {seed}, pooled test images" in title
        )
        assert made.figures[title].name == f"confusion-images-{seed:02d}-fmpn-synthetic-seed-{seed}.png"
    assert WINNER_PURPOSE not in made.next_commands
    assert made.next_commands[SEEDS_PURPOSE].endswith("crossval --name tune-synthetic-quick --seeds 3")


@pytest.mark.parametrize(
    ("seeds", "command", "config", "more"),
    [
        ((None,), "crossval --seeds=1 --folds 2", {}, None),  # of a version that stored no seed
        ((0,), "crossval --seeds=1 --folds 2", {}, "crossval --folds 2 --seeds 3"),
        ((4,), "reproduce", {"seed": 4}, "reproduce --seeds 3"),
        ((0, 5), "reproduce --seeds 0,5", {}, None),
        (range(99), "crossval --seeds 99", {"seeds": 99}, "crossval --seeds 100"),
    ],
)
def test_more_seeds_are_suggested_for_what_was_not_searched(
    seeds: Sequence[int | None], command: str, config: dict[str, Any], more: str | None, tmp_path: Path
) -> None:
    experiment = {
        "name": "mine", "command": f"python -m platform.{command}", "config": config,
        "rows": [{"seed": seed} for seed in seeds],
    }  # fmt: skip
    found = next_commands(ResultsStore(tmp_path), experiment, tmp_path, ())
    assert found.get(SEEDS_PURPOSE) == (None if more is None else f"./fer {more}")


def test_the_winners_file_is_in_the_next_command_and_in_the_report(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    command = "python -m platform.tune --data-root elsewhere --method=mine/net.py:Net --preset quick"
    experiment = write_experiment(store, [write_row(store, folds=2)], study=fake_study(), command=command)
    folder = store.experiment_folder(experiment["name"])
    without = present(store, experiment)
    assert without.winners == ()
    assert "winner.yaml" not in "".join(without.next_commands.values())
    (folder / "winner.yaml").write_text("")
    made = present(store, experiment)
    assert [path.name for path in made.winners] == ["winner.yaml"]
    again = made.next_commands[WINNER_PURPOSE]
    for words in (
        f"crossval --config {folder}/winner.yaml --seeds 3 --name tune-synthetic-quick-3-seeds ",
        "--data-root elsewhere",
        "--method mine/net.py:Net",
        f"--runs {tmp_path}",
    ):
        assert words in again
    page = made.report.read_text()
    assert page.index("Chosen configuration") < page.index("Accuracy on synthetic")
    assert "trial 5 of 6 of the search study-1; departures from the preset:" in page
    assert "As a file for --config: winner.yaml" in page
