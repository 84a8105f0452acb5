"""The preview shows every class: name, mean face and aligned faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from datasets.prepared.preview import CELL_PIXELS, FACES_A_CLASS, write_preview
from datasets.records import FrameRecord
from tests.written_stores import write_store


def record(index: int, expression: str) -> FrameRecord:
    return FrameRecord(
        subject_id="S1", sequence_id="S1_1", frame=index, expression=expression, source="x", landmarks=None,
        role="neutral" if expression == "neutral" else "expressive",
    )  # fmt: skip


def test_mean_and_faces_lie_where_the_legend_says(tmp_path: Path) -> None:
    grays = {1: 10, 2: 100, 3: 140, 4: 250}
    records = [record(1, "neutral"), record(2, "anger"), record(3, "anger"), record(4, "fear")]
    store = write_store(
        tmp_path / "x-16", "ckplus", 16, records,
        lambda one: np.full((16, 16, 3), grays[one.frame], dtype=np.uint8), aligned=True,
    )  # fmt: skip
    write_preview(store, tmp_path / "preview.png")
    image = np.array(Image.open(tmp_path / "preview.png"))
    assert image.shape == (16 + 3 * CELL_PIXELS, (2 + FACES_A_CLASS) * CELL_PIXELS, 3)
    middle = 16 + CELL_PIXELS // 2 + np.arange(3) * CELL_PIXELS  # rows: anger, fear, neutral faces
    means = image[middle, CELL_PIXELS + CELL_PIXELS // 2, 0]
    assert means.tolist() == [120, 250, 10]
    first, second = (image[middle, column * CELL_PIXELS + CELL_PIXELS // 2, 0].tolist() for column in (2, 3))
    assert first == [100, 250, 10]
    assert second == [140, 255, 255]  # white where a class has no more faces
    assert list(tmp_path.glob(".*")) == []
