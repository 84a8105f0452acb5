"""Console output of `python -m platform.prepare`: a prepared set, or an inspected folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import UserError
from platform.host.console import one_line

if TYPE_CHECKING:
    from datasets.prepared.store import PreparedStore
    from datasets.raw.choices import BadItems
    from datasets.records import FrameRecord

ITEMS_SHOWN = 5


def summary_lines(store: PreparedStore, title: str, beside: Sequence[str] = ()) -> list[str]:
    """Contents of a prepared set, with the paper's counts beside those that differ.

    beside: files of the user's copy that do not belong to the data set.
    """
    from datasets.prepared.store_files import read_manifest
    from platform.cli.layer_report import layer_lines

    counts = {role: int((store.roles == role).sum()) for role in ("expressive", "neutral", "context")}
    expressive = store.roles == "expressive"
    by_class = {name: int((expressive & (store.expressions == name)).sum()) for name in store.class_names}
    context = f" and {counts['context']} other frames" if counts["context"] else ""
    manifest = read_manifest(store.folder)
    return [
        f"{title}: {counts['expressive']} expressive images and {counts['neutral']} neutral faces{context} "
        f"of {len(set(store.subjects.tolist()))} subjects",
        *_class_lines(store.dataset, by_class),
        *_left_out_lines(manifest["left_out"]),
        *_beside_lines(beside),
        *_several_faces_lines(manifest.get("several_faces", [])),
        *layer_lines(store.folder),
        f"store:      {store.folder}",
        f"look at:    {store.folder / 'preview.png'}",
    ]


def next_lines(store: PreparedStore, data_root: Path, argv: Sequence[str]) -> list[str]:
    """The command that trains on these faces, and the one that prepares smaller ones.

    argv: the arguments that prepared them.
    """
    from platform.cli.next_command import again_at, training_command
    from platform.config.presets import preset

    training = training_command(store, data_root)
    lines = [f"next:       {training}"]
    if training is None:
        lines = [
            "next:       add subjects: every training set must contain every class, and no division of "
            f"{len(set(store.subjects.tolist()))} subjects into folds achieves that"
        ]
    elif "--method cnn" in training:
        lines += [
            "            (some subjects lack a single neutral face, which motion masks need; for masks of "
            "another data set see python -m platform.transfer --help)"
        ]
    quick = preset("quick")["load_size_pixels"]
    if store.size_pixels > quick:
        lines.append(f"for --preset quick (minutes), prepare smaller faces: {again_at(argv, quick)}")
    return lines


def _class_lines(dataset: str, counts: Mapping[str, int]) -> list[str]:
    from datasets.catalogue import paper_image_counts

    paper = paper_image_counts(dataset)
    names = sorted({*counts, *paper})
    width = max(map(len, names), default=0)
    return [
        f"  {name:<{width}} {counts.get(name, 0):6}"
        + (f"   (paper: {paper[name]})" if paper.get(name, counts.get(name)) != counts.get(name) else "")
        for name in names
    ]


def _left_out_lines(left_out: list[list[str]]) -> list[str]:
    if not left_out:
        return []
    lines = [f"left out:   {len(left_out)} items (all listed in manifest.json)"]
    return [*lines, *_first_lines([f"{item}: {why}" for item, why in left_out])]


def _beside_lines(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [
        f"not read:   {len(names)} files and folders that do not belong to the data set",
        *_first_lines(names),
    ]


def _several_faces_lines(names: list[str]) -> list[str]:
    if not names:
        return []
    what = "have several faces in the landmark file; the best one was used"
    return [f"check:      {len(names)} frames {what} (all listed in manifest.json)", *_first_lines(names)]


def _first_lines(items: Sequence[str]) -> list[str]:
    """The first of `items`, one per line, and the number of further ones."""
    shown = [f"  {one_line(item)}" for item in items[:ITEMS_SHOWN]]
    return shown if len(items) <= ITEMS_SHOWN else [*shown, f"  and {len(items) - ITEMS_SHOWN} more"]


def inspection_lines(root: Path, dataset: str | None, further: Sequence[str] = ()) -> list[str]:
    """Contents of `root`, the layout it resembles, and the result of reading it as that.

    further: additional arguments of the proposed command (`--size`, `--data-root`).
    """
    from datasets.catalogue import describe, recognisable_names
    from datasets.inspection import inspect_folder, read_leniently
    from datasets.prepared.store_files import IMAGES, MANIFEST
    from datasets.raw.downloads import recognise_download
    from platform.cli.next_command import preparation_command

    if dataset is not None:
        describe(dataset)
    if (root / MANIFEST).is_file() and (root / IMAGES).is_file():
        return _prepared_lines(root)
    found = inspect_folder(root)
    lines = [f"folder:     {root}, {sum(found.file_counts.values()):,} files"]
    for extension, count in found.file_counts.items():
        examples = ", ".join(map(one_line, found.examples[extension]))
        lines.append(f"  {count:8,} {extension or '(no extension)':<6} {examples}")
    download = recognise_download(root)
    if download is not None and dataset is None and found.looks_like in ([], ["folder"]):
        return [
            *lines,
            f"looks like: {download.title}, as downloaded",
            f"do this:    {download.what_to_do}",
        ]
    names = [dataset] if dataset is not None else found.looks_like
    if not names:
        known = "\n".join(f"  {name:<13} {describe(name).native_layout}" for name in recognisable_names())
        return [*lines, "looks like: none of the known layouts:", known]
    for name in names:
        lines += [
            f"looks like: {describe(name).title} ({name})" if dataset is None else f"read as:    {name}"
        ]
        try:
            records, bad = read_leniently(name, root)
            lines += _reading_lines(name, root, records, bad)
        except UserError as error:
            lines.append(f"  reading failed: {error}")
        else:
            command = preparation_command(
                describe(name), root, records, skip_bad=bool(bad.left_out), further=further
            )
            lines.append(f"next:       {command}")
    return lines


def _prepared_lines(root: Path) -> list[str]:
    """Contents of the prepared set in `root`, the layers that it has and the commands that add others."""
    from datasets.catalogue import describe
    from datasets.prepared.layer_files import CONTENTS, layer_command, layers_of
    from datasets.prepared.merged_names import is_merged
    from datasets.prepared.store import PreparedStore

    store = PreparedStore.open(root)
    several = is_merged(store.dataset)
    lines = summary_lines(store, store.dataset if several else describe(store.dataset).title)
    if several:
        return lines
    for name in sorted(set(CONTENTS) - set(layers_of(root))):
        if name == "sequences" and describe(store.dataset).no_sequences:
            lines.append(f"no layer:   {name}: {describe(store.dataset).no_sequences}")
        elif name == "neutral" and not (store.roles == "neutral").any():
            lines.append(f"no layer:   {name}: the set has no neutral faces")
        else:
            lines.append(f"no layer:   {name} ({CONTENTS[name]}); add it: {layer_command(root, name)}")
    return lines


def _reading_lines(dataset: str, root: Path, records: list[FrameRecord], bad: BadItems) -> list[str]:
    """Result of reading `root` as `dataset`."""
    from datasets.inspection import codes_and_notes

    expressive = [record for record in records if record.role == "expressive"]
    codes, notes = codes_and_notes(dataset, root)
    subjects = {record.subject_id for record in records}
    with_points = sum(record.landmarks is not None for record in records)
    return [
        f"  {len(expressive)} expressive images of {len({one.sequence_id for one in expressive})} sequences "
        f"and {_count(records, 'neutral')} neutral faces of {len(subjects)} subjects; "
        f"{with_points} of {len(records)} have landmarks",
        *([f"  label codes: {codes}"] if codes else []),
        *(f"  {note}" for note in notes),
        *_class_lines(dataset, Counter(record.expression for record in expressive)),
        *_left_out_lines([list(pair) for pair in bad.left_out]),
        *_beside_lines(bad.beside),
    ]


def _count(records: list[FrameRecord], role: str) -> int:
    return sum(record.role == role for record in records)
