"""From a raw data set to its prepared store: what `python -m platform.prepare` calls."""

from __future__ import annotations

from pathlib import Path

from datasets import store_files
from datasets.catalogue import ensure_embedded, load_adapter, raw_folder
from datasets.landmarks import attach_landmarks, read_landmarks
from datasets.preview import write_preview
from datasets.records import DatasetDescription
from datasets.sources import source_sha256
from datasets.store import PreparedStore, Progress, prepare_command, store_folder, write_store
from platform.errors import UserError

SMALLEST_PIXELS, LARGEST_PIXELS = 16, 2048


def prepare_dataset(
    dataset: str,
    size_pixels: int,
    *,
    data_root: Path = Path("data"),
    source: Path | None = None,
    landmarks: Path | None = None,
    aligned: bool = False,
    progress: Progress | None = None,
) -> PreparedStore:
    """Prepare `dataset` at `size_pixels` under `data_root`, and paint its preview.

    `source` is the folder of the user's copy; an embedded (synthetic) set is written first where it
    is missing, and needs none. `landmarks` is a CSV of five points a frame, which goes before the
    data set's own. `aligned`: the images are face crops already. Raises UserError for whatever the
    user can put right, and then leaves no half-written store.
    """
    adapter = load_adapter(dataset)
    if not SMALLEST_PIXELS <= size_pixels <= LARGEST_PIXELS:
        raise UserError(
            f"the size must lie in {SMALLEST_PIXELS} to {LARGEST_PIXELS} pixels, but got {size_pixels}; "
            "pass --size 320, for example."
        )
    if aligned and landmarks is not None:
        raise UserError("--aligned uses no landmarks, but --landmarks was given too; pass one of them.")
    root = _raw_root(adapter.DATASET, size_pixels, data_root, source)
    points = read_landmarks(landmarks) if landmarks is not None else {}
    records = adapter.read_records(root)
    if landmarks is not None:
        records = attach_landmarks(records, points, landmarks)
    store = write_store(
        store_folder(data_root, dataset, size_pixels),
        dataset,
        size_pixels,
        records,
        lambda record: adapter.read_frame(root, record),
        source_sha256=lambda record: source_sha256(root, record.source),
        aligned=aligned,
        progress=progress,
    )
    write_preview(store, store.folder / store_files.PREVIEW)
    return store


def _raw_root(
    description: DatasetDescription, size_pixels: int, data_root: Path, source: Path | None
) -> Path:
    """The folder of the raw data set, which for an embedded one is written where it is missing."""
    if description.embedded and source is None:
        root = raw_folder(data_root, description.name)
        ensure_embedded(description.name, root)
        return root
    if source is None:
        raise UserError(
            f"{description.title} needs --source DIR, the folder of your copy, which holds "
            f"{description.native_layout}. {description.request_from} "
            f"Then run: {prepare_command(data_root, description.name, size_pixels)}"
        )
    return source
