"""Writer of the layer `sequences`: resumable, and the same bytes every time, like the writer of images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from datasets.prepared import image_file, store_files
from datasets.prepared.face_chunks import JOURNAL, FrameSource, Progress, Recipe, Row, write_faces
from datasets.prepared.layer_files import layer_writer, write_layer_manifest
from datasets.prepared.sequence_alignment import FrameAlignment, with_all_landmarks
from datasets.prepared.sequence_layer import (
    FRAME_COLUMNS,
    FRAME_TABLE,
    FRAMES,
    NAME,
    SEQUENCE_COLUMNS,
    SEQUENCE_TABLE,
    labelled_sequences,
    sequence_columns,
)
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import BadItems
from datasets.records import FrameRecord
from platform.errors import UserError

FEWEST_FRAMES = 2
"""A single image has no order in time."""


def write_sequences(
    store: PreparedStore,
    records: Sequence[FrameRecord],
    source: FrameSource,
    recipe: Recipe,
    *,
    bad: BadItems,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Align all frames of the labelled sequences among `records` and store them as a layer of `store`.

    `recipe` is that of the images. A sequence with an unusable frame is left out whole if `bad` skips,
    because its frames would no longer be all, in order. The manifest lists everything left out. Raises
    UserError for unusable frames, and for a disk that is full or read-only; the layer is then as it was.
    """
    groups, ways = _aligned_groups(records, recipe.aligned, bad)
    frames = [record for group in groups for record in group]
    with layer_writer(store.folder, NAME) as partial:
        store_files.check_space(partial, len(frames), recipe.size_pixels)
        rows = write_faces(
            partial / FRAMES, store.dataset, frames, source, recipe,
            skip_bad=bad.skip, workers=workers, progress=progress,
        )  # fmt: skip
        kept: list[int] = []
        first = 0
        for group in groups:
            of_group = rows[first : first + len(group)]
            broken = next((n for n, row in enumerate(of_group) if "bad" in row), None)
            if broken is None:
                kept += range(first, first + len(group))
            else:
                bad.leave_out(group[0].sequence_id, f"{group[broken].source}: {of_group[broken]['bad']}")
            first += len(group)
        if not kept:
            raise UserError(
                f"none of the {len(groups)} labelled sequences can be used; the first: {bad.left_out[-1][1]}"
            )
        image_file.finish(partial / FRAMES, kept, recipe.size_pixels)
        whole = {frames[number].sequence_id for number in kept}
        _write_tables(
            partial,
            store.dataset,
            [group for group in groups if group[0].sequence_id in whole],
            [(frames[number], rows[number], ways[number]) for number in kept],
            recipe.aligned,
        )
        (partial / JOURNAL).unlink()
        notes = {
            **recipe.notes,
            "aligned": recipe.aligned,
            "resample": recipe.resample,
            "frame_count": len(kept),
            "sequence_count": len(whole),
            "alignments": dict(sorted(Counter(ways[number] for number in kept).items())),
            "left_out": bad.left_out,
        }
        files = (FRAMES, FRAME_TABLE, SEQUENCE_TABLE)
        write_layer_manifest(partial, NAME, store.dataset, recipe.size_pixels, files, notes)


def _aligned_groups(
    records: Sequence[FrameRecord], aligned: bool, bad: BadItems
) -> tuple[list[list[FrameRecord]], list[FrameAlignment]]:
    """The labelled sequences whose frames can all be aligned, with landmarks, and how each frame got them."""
    groups: list[list[FrameRecord]] = []
    ways: list[FrameAlignment] = []
    found = labelled_sequences(records)
    single = [group[0] for group in found if len(group) < FEWEST_FRAMES]
    if single:
        bad.leave_out_all(
            [(record.sequence_id, "the sequence has one frame") for record in single],
            f"a sequence needs {FEWEST_FRAMES} frames or more, but {len(single)} of {len(found)} have one, "
            f"the first being {single[0].sequence_id}; restore their frames",
        )
    for group in found:
        if len(group) < FEWEST_FRAMES:
            continue
        with bad.guard(group[0].sequence_id):
            _check_one_class(group)
            if aligned:
                groups.append(group)
                ways += ["crop"] * len(group)
            else:
                with_points, how = with_all_landmarks(group)
                groups.append(with_points)
                ways += how
    if not groups:
        first = f"; the first: {bad.left_out[0][0]}: {bad.left_out[0][1]}" if bad.left_out else ""
        raise UserError(f"none of the {len(found)} labelled sequences can be used{first}")
    return groups, ways


def _check_one_class(group: Sequence[FrameRecord]) -> None:
    shown = sorted({record.expression for record in group if record.role == "expressive"})
    if len(shown) > 1:
        raise UserError(
            f"a sequence shows one expression, but {group[0].sequence_id} has images of "
            f"{' and '.join(shown)}; give them sequences of their own."
        )


def _write_tables(
    partial: Path,
    dataset: str,
    groups: Sequence[Sequence[FrameRecord]],
    frames: Sequence[tuple[FrameRecord, Row, FrameAlignment]],
    aligned: bool,
) -> None:
    lines: list[Mapping[str, object]] = [
        {
            "frame": record.frame,
            "source": record.source,
            "source_sha256": row["sha256"],
            "alignment": how,
            "landmarks": None if aligned or record.landmarks is None else record.landmarks.ravel().tolist(),
            "transform": row["transform"],
        }
        for record, row, how in frames
    ]
    columns = {name: [line[name] for line in lines] for name in FRAME_COLUMNS}
    store_files.write_table(partial / FRAME_TABLE, columns, FRAME_COLUMNS)
    store_files.write_table(partial / SEQUENCE_TABLE, sequence_columns(dataset, groups), SEQUENCE_COLUMNS)
