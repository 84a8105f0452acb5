"""Writer of prepared stores: whole or not at all, the same bytes every time, resumable after a kill.

Images and their journal (face_chunks.py) grow in a hidden folder next to the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets.prepared import image_file, store_files
from datasets.prepared.face_chunks import JOURNAL, FrameSource, Progress, Recipe, Row, write_faces
from datasets.prepared.released_resample import released_face, write_rectangles
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import BadItems
from datasets.records import EXPRESSIONS, FrameRecord
from platform.errors import UserError


def write_prepared(
    folder: Path,
    dataset: str,
    records: Sequence[FrameRecord],
    source: FrameSource,
    recipe: Recipe,
    *,
    own_classes: bool = False,
    bad: BadItems | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> PreparedStore:
    """Align the frames of `records` and store them in `folder`, replacing an existing store.

    `own_classes`: whether there may be others than EXPRESSIONS. `bad` (None: strict) decides whether unusable
    frames stop the run or are left out; the manifest lists everything left out. An existing store equal to
    the new one stays untouched. The bytes do not depend on `workers`. Raises UserError, and leaves `folder`
    unchanged, for contradictory records, missing or implausible landmarks, and a disk that is full or
    read-only.
    """
    bad = bad or BadItems()
    ordered = sorted(
        records, key=lambda record: (record.subject_id, record.sequence_id, record.frame, record.role)
    )
    _check_records(ordered, recipe.aligned, own_classes=own_classes)
    store_files.check_replaceable(folder)
    try:
        with store_files.sole_writer(folder) as partial:
            store_files.check_space(partial, len(ordered), recipe.size_pixels)
            rows = write_faces(
                partial / store_files.IMAGES, dataset, ordered, source, recipe,
                skip_bad=bad.skip, workers=workers, progress=progress,
            )  # fmt: skip
            kept = [number for number, row in enumerate(rows) if "bad" not in row]
            for record, row in zip(ordered, rows, strict=True):
                if "bad" in row:
                    bad.leave_out(record.source, str(row["bad"]))
            if not kept:
                raise UserError(f"none of the {len(rows)} frames can be used; the first: {rows[0]['bad']}")
            if not any(ordered[number].role == "expressive" for number in kept):
                raise UserError(
                    f"at least one frame must show an expression, but none of the {len(kept)} does; "
                    "add expressive images."
                )
            images_sha256 = image_file.finish(partial / store_files.IMAGES, kept, recipe.size_pixels)
            sha256 = {store_files.IMAGES: images_sha256}
            pairs = [(ordered[number], rows[number]) for number in kept]
            columns = _index_columns(pairs, recipe.aligned)
            notes = {**recipe.notes, "aligned": recipe.aligned, "left_out": bad.left_out}
            if recipe.resample == "released":
                notes["resample"] = recipe.resample
                sizes = np.array([row["size"] for _, row in pairs])
                columns |= {"height": sizes[:, 0].tolist(), "width": sizes[:, 1].tolist()}
                faces = (
                    released_face(record, source.read_frame(record), recipe.size_pixels)
                    for record, _ in pairs
                )
                path = partial / store_files.RECTANGLES
                sha256[store_files.RECTANGLES] = write_rectangles(path, faces, sizes)
            store_files.write_index(partial / store_files.INDEX, columns)
            (partial / JOURNAL).unlink()
            store_files.write_manifest(partial, dataset, recipe.size_pixels, len(kept), sha256, notes)
            store_files.put_in_place(partial, folder)
    except OSError as error:
        raise UserError(
            f"cannot write the store {folder}: {error.strerror or error}; it is unchanged. Free disk space "
            "or grant write permission, and run the same command again."
        ) from error
    return PreparedStore.open(folder)


def _check_records(records: Sequence[FrameRecord], aligned: bool, *, own_classes: bool) -> None:
    if not records:
        raise UserError("a store needs at least one image, but got none.")
    names: set[str] = set()
    for record in records:
        if record.image_name in names:
            raise UserError(
                f"duplicate frame {record.image_name}; list each frame once, as either neutral or expressive."
            )
        names.add(record.image_name)
        if not own_classes and record.expression not in EXPRESSIONS:
            raise UserError(
                f"{record.source} shows {record.expression!r}, but expressions are {', '.join(EXPRESSIONS)}."
            )
    missing = [record for record in records if record.landmarks is None]
    if missing and not aligned:
        raise UserError(
            f"{len(missing)} of {len(records)} frames have no landmarks, "
            f"the first being {missing[0].image_name}; "
            "pass --landmarks FILE (a CSV with image,left_eye_x,left_eye_y,right_eye_x,...), "
            "--landmarks detect to detect them, "
            "or --aligned if the images are already face crops."
        )


def _index_columns(pairs: Sequence[tuple[FrameRecord, Row]], aligned: bool) -> dict[str, list[object]]:
    rows = [
        {
            "subject": record.subject_id,
            "sequence": record.sequence_id,
            "frame": record.frame,
            "expression": record.expression,
            "role": record.role,
            "image": record.image_name,
            "source": record.source,
            "source_sha256": row["sha256"],
            "landmarks": None if aligned or record.landmarks is None else record.landmarks.ravel().tolist(),
            "transform": row["transform"],
        }
        for record, row in pairs
    ]
    return {name: [row[name] for row in rows] for name in store_files.INDEX_COLUMNS}
