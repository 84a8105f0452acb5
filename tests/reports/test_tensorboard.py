"""What is written is read back with TensorBoard's own reader, and shown beside the table."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from platform.aggregation.aggregate import aggregate_experiment
from platform.models.masks.quality import MaskQuality
from platform.reports.publish import present
from platform.reports.tensorboard import write_tensorboard
from platform.runs.store import Kind, ResultsStore
from platform.tables.render import FORMATS, render
from platform.tables.table import build_table
from tests.fake_runs import png_bytes, write_experiment, write_row

PICTURES = ("face", "predicted mask", "target mask", "fused")
STAGE1_CURVE = [
    {"epoch": e, "loss": 0.3 / e, "gradient_norm": 2.0 / e, "learning_rate": 1e-4, "images_per_second": 90.0}
    for e in (1, 2, 3)
]
STAGE2_CURVE = [
    {
        "epoch": e,
        "loss": 2.0 / e,
        "classification_loss": 1.5 / e,
        "mask_loss": 0.05 / e,
        "training_accuracy": 1 - 0.7 / e,
        "gradient_norm": 3.0 / e,
        "learning_rate": 1e-4 / e,
        "learning_rate_mask_generator": 1e-5 / e,
        "learning_rate_classifier": 1e-4 / e,
        "images_per_second": 50.0 + e,
        "peak_memory_bytes": 7.0e9,  # a measure that nothing here knows by name
    }
    for e in (1, 2, 3, 4)
]


def quality(fold: int) -> MaskQuality:
    return MaskQuality(
        face_count=63,
        class_count=7,
        error=0.07 + 0.01 * fold,
        constant_error=0.06,
        nearest_share=0.3,
        constant_nearest_share=1 / 7,
        chance_level=1 / 7,
        stage1_error=0.065,
        stage1_nearest_share=0.35,
        drift=0.002,
    )


def picture(fold: int) -> np.ndarray:
    """uint8 [16, 24, 3], another one for each fold."""
    return np.random.default_rng(fold).integers(0, 256, (16, 24, 3), dtype=np.uint8)


def rewrite(store: ResultsStore, kind: Kind, identity: str, files: dict[str, bytes], **facts: Any) -> None:
    """The same result with other files and more facts in its manifest."""
    manifest = store.manifest(kind, identity)
    assert manifest is not None
    kept = {name: store.read(kind, identity, name) for name in manifest["sha256"] if name != "record.json"}
    stated = {name: manifest[name] for name in manifest if name not in ("identity", "sha256", "status")}
    record = store.record(kind, identity)
    shutil.rmtree(store.folder(kind, identity))  # a result is written once
    store.write(kind, identity, record, {**kept, **files}, **stated, **facts)


@dataclass(frozen=True, kw_only=True)
class Written:
    """An experiment with FMPN and the baseline, and its logs."""

    store: ResultsStore
    experiment: dict[str, Any]
    logs: Path

    def events(self, *folders: str) -> EventAccumulator:
        accumulator = EventAccumulator(str(self.logs.joinpath(*folders)))
        accumulator.Reload()
        return accumulator

    def scalars(self, *folders: str) -> dict[str, list[tuple[int, float]]]:
        """Tag to (step, value) of each event."""
        events = self.events(*folders)
        return {
            tag: [(event.step, event.value) for event in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    rows = [write_row(store, folds=2), write_row(store, "cnn", "CNN (baseline)", 0.6, folds=2)]
    for run in rows[0]["runs"]:
        fold, identity = run["fold"], run["identity"]
        files = {
            "curves.json": json.dumps({"stage2": STAGE2_CURVE}).encode(),
            "pictures.png": png_bytes(picture(fold)),
        }
        facts = {"mask_quality": quality(fold).to_dict()} | ({"pictures": PICTURES} if fold == 0 else {})
        rewrite(store, "fold_runs", identity, files, **facts)
        stage1 = {"curves.json": json.dumps({"stage1": STAGE1_CURVE}).encode()}
        rewrite(store, "stage1", store.record("fold_runs", identity)["stage1"], stage1)
    experiment = write_experiment(store, rows)
    logs = store.root / "logs"
    write_tensorboard(logs, store, experiment, aggregate_experiment(store, experiment), {})
    return Written(store=store, experiment=experiment, logs=logs)


@pytest.mark.parametrize(("stage", "curve"), [("stage1", STAGE1_CURVE), ("stage2", STAGE2_CURVE)])
def test_every_measure_of_both_stages_is_a_scalar_of_its_fold(
    written: Written, stage: str, curve: list[dict[str, float]]
) -> None:
    for fold in ("fold-0", "fold-1"):
        scalars = written.scalars("00-fmpn-synthetic", fold)
        found = {tag.removeprefix(f"{stage}/"): tag for tag in scalars if tag.startswith(f"{stage}/")}
        assert set(found) == set(curve[0]) - {"epoch"}
        for measure, tag in found.items():
            assert [step for step, _ in scalars[tag]] == [values["epoch"] for values in curve]
            values = [value for _, value in scalars[tag]]
            assert values == pytest.approx([epoch[measure] for epoch in curve])


def test_mask_quality_is_a_scalar_of_each_fold_with_the_fold_as_step(written: Written) -> None:
    for fold in (0, 1):
        scalars = written.scalars("00-fmpn-synthetic", f"fold-{fold}")
        found = {tag: value for tag, value in scalars.items() if tag.startswith("mask_quality/")}
        assert set(found) == {f"mask_quality/{name}" for name in quality(fold).to_dict()}
        for name, value in quality(fold).to_dict().items():
            assert found[f"mask_quality/{name}"] == [(fold, pytest.approx(value))]


def test_pictures_of_test_faces_are_images_of_each_fold(written: Written) -> None:
    titles = {0: f"test faces, from above: {', '.join(PICTURES)}", 1: "test faces"}
    for fold, title in titles.items():
        events = written.events("00-fmpn-synthetic", f"fold-{fold}")
        assert events.Tags()["images"] == [title]
        (event,) = events.Images(title)
        shown = np.asarray(Image.open(io.BytesIO(event.encoded_image_string)))
        np.testing.assert_array_equal(shown, picture(fold))


def test_a_net_without_masks_has_its_curves_and_no_more(written: Written) -> None:
    events = written.events("01-cnn-synthetic", "fold-0")
    assert events.Tags()["images"] == []
    assert {tag.partition("/")[0] for tag in events.Tags()["scalars"]} == {"stage2"}


def test_masks_without_a_stage_1_show_what_they_have(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    row = write_row(store, folds=1)
    absent = ("stage1_error", "stage1_nearest_share", "drift", "error_change", "nearest_share_change")
    without = quality(0).to_dict() | dict.fromkeys(absent)
    rewrite(store, "fold_runs", row["runs"][0]["identity"], {}, mask_quality=without)
    experiment = write_experiment(store, [row])
    logs = tmp_path / "logs"
    write_tensorboard(logs, store, experiment, aggregate_experiment(store, experiment), {})
    scalars = Written(store=store, experiment=experiment, logs=logs).scalars("00-fmpn-synthetic", "fold-0")
    found = {tag.removeprefix("mask_quality/") for tag in scalars if tag.startswith("mask_quality/")}
    assert found == {name for name, value in without.items() if value is not None}


SENTENCE = "Masks of FMPN (resnet18): MSE 0.0750 (constant mean training mask: 0.0600);"


@pytest.mark.parametrize("form", sorted(FORMATS.keys() - {"csv"}))
def test_the_table_says_it_once_for_the_method_with_masks(written: Written, form: str) -> None:
    text = render(build_table(aggregate_experiment(written.store, written.experiment)), form)
    text = " ".join(text.split())
    assert text.count(SENTENCE) == 1
    assert text.count("Masks of ") == 1
    assert "Mean of 2 folds, 126 test faces." in text


def test_the_report_page_says_it_and_the_final_screen_does_not(written: Written) -> None:
    made = present(written.store, written.experiment)
    assert SENTENCE in made.report.read_text()
    assert "Masks of" not in made.text
