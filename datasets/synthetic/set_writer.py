"""Writer of synthetic sets in the native layout of a data set, so that its adapter can read them.

`synthetic.json.part` claims a set before its first frame, and gets a line for every complete sequence;
`synthetic.json` marks the set as complete after its last frame. An interrupted run resumes where it stopped,
and a complete set is left unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import cv2

from datasets.synthetic.layouts import Row, load_layout
from datasets.synthetic.parameters import GENERATOR_VERSION, SetParameters
from platform.errors import UserError
from platform.files.json_files import parse_json
from platform.files.local_storage import LOCAL, is_temporary
from platform.files.opening import read_bytes

MANIFEST = "synthetic.json"
CLAIM = "synthetic.json.part"

Progress = Callable[[int, int], None]
"""Called with (frames done, total frames)."""


def write_set(
    root: Path,
    parameters: SetParameters,
    *,
    layout: str = "ckplus",
    workers: int = 1,
    progress: Progress | None = None,
) -> bool:
    """Write the set into `root`, or resume an interrupted one; returns False, without any change, if it is
    already complete.

    The files do not depend on `workers`, the number of processes. With more than one, the caller's main
    module must be importable without side effects, as `multiprocessing` requires. Raises UserError if `root`
    holds a set with other parameters or anything else.
    """
    chosen = load_layout(layout)
    if _is_finished(root, parameters, layout):
        return False
    total = frame_count(parameters, layout)
    rows = _claim(root, parameters, layout)
    with (root / CLAIM).open("a", encoding="utf-8") as claim:
        for added in _written(root, parameters, layout, workers, skip=len(rows)):
            claim.write(json.dumps(added) + "\n")
            claim.flush()
            rows.append(added)
            done = len(rows) * chosen.frames_a_place(parameters)
            if progress is not None:
                progress(done, total)
    chosen.finish(root, parameters, [row for added in rows for row in added])
    record = {"format": "synthetic-faces", **_record(parameters, layout), "frame_count": total}
    LOCAL.replace(root / MANIFEST, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    (root / CLAIM).unlink(missing_ok=True)
    return True


def _written(
    root: Path, parameters: SetParameters, layout: str, workers: int, skip: int
) -> Iterator[list[Row]]:
    """Write the sequences after the first `skip`; yields the index rows of each once it is on disk."""
    places = load_layout(layout).places(parameters)[skip:]
    if workers == 1 or not places:
        yield from (_write_sequence(root, parameters, layout, *place) for place in places)
        return
    # Spawned, because a fork of a process with threads may hang.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread) as pool:
        subjects, numbers = zip(*places, strict=True)
        yield from pool.map(
            _write_sequence, repeat(root), repeat(parameters), repeat(layout), subjects, numbers
        )


def _one_thread() -> None:
    """Turn off OpenCV's threads, which would compete with those of the other workers."""
    cv2.setNumThreads(1)


def _write_sequence(
    root: Path, parameters: SetParameters, layout: str, subject: int, sequence: int
) -> list[Row]:
    return load_layout(layout).write_sequence(root, parameters, subject, sequence)


def frame_count(parameters: SetParameters, layout: str = "ckplus") -> int:
    """Number of frames of a set with these parameters."""
    chosen = load_layout(layout)
    return len(chosen.places(parameters)) * chosen.frames_a_place(parameters)


def parameters_of(root: Path) -> SetParameters:
    """The parameters that the complete set in `root` was drawn with.

    Raises UserError if `root` holds no complete set, or one of another version of the generator.
    """
    path = root / MANIFEST
    found = _read_record(path, _text(path))
    if found.get("generator_version") != GENERATOR_VERSION:
        raise UserError(
            f"{root} was drawn by version {found.get('generator_version')} of the generator, but this code "
            f"has {GENERATOR_VERSION}; remove that folder (rm -r {root}) and draw the set again."
        )
    return SetParameters(**{field.name: found[field.name] for field in fields(SetParameters)})  # type: ignore[arg-type]  # as_record wrote them


def _record(parameters: SetParameters, layout: str) -> dict[str, object]:
    return {"layout": layout, **parameters.as_record()}


def _is_finished(root: Path, parameters: SetParameters, layout: str) -> bool:
    path = root / MANIFEST
    if not path.is_file():
        return False
    found = _read_record(path, _text(path))
    for name, value in _record(parameters, layout).items():
        if found.get(name) != value:
            raise UserError(
                f"{root} already holds a synthetic set with {name}={found.get(name)}, "
                f"but {name}={value} was requested; "
                f"choose another folder, or remove this one first (rm -r {root})."
            )
    return True


def _read_record(path: Path, text: str) -> dict[str, object]:
    try:
        record = parse_json(text, str(path))
    except UserError:
        record = None
    if not isinstance(record, dict):
        raise UserError(
            f"{path} is damaged; remove its folder (rm -r {path.parent}) and run the same command again."
        )
    return record


def _claim(root: Path, parameters: SetParameters, layout: str) -> list[list[Row]]:
    """Claim `root` for an unfinished set; returns the index rows of its complete sequences."""
    claim = root / CLAIM
    wanted = _record(parameters, layout)
    if claim.is_file():
        first, *lines = _text(claim).split("\n")
        found = _read_record(claim, first)
        if found == wanted:
            whole = _whole_lines(claim, lines)
            # A line truncated by a kill is dropped, and its sequence written again.
            content = "\n".join([first, *map(json.dumps, whole)]) + "\n"
            LOCAL.replace(claim, content.encode())
            return whole
        for name in load_layout(str(found.get("layout"))).CONTENTS:
            LOCAL.remove(root / name)
    elif root.exists() and (not root.is_dir() or _holds_files(root)):
        raise UserError(f"{root} exists and is not a synthetic set; pass a new or empty folder.")
    root.mkdir(parents=True, exist_ok=True)
    LOCAL.replace(claim, (json.dumps(wanted, sort_keys=True) + "\n").encode())
    return []


def _holds_files(root: Path) -> bool:
    """Whether the folder holds more than what a kill left of its claim."""
    return any(not is_temporary(one.name, CLAIM) for one in root.iterdir())


def _text(path: Path) -> str:
    """The text of a file; bytes damaged by a power failure become replacement characters, which the reader
    refuses or drops."""
    return read_bytes(path).decode(errors="replace")


def _whole_lines(claim: Path, lines: list[str]) -> list[list[Row]]:
    """The rows of each line except the last, which is empty or truncated by a kill."""
    remedy = f"remove its folder (rm -r {claim.parent}) and run the same command again."
    return [parse_json(line, str(claim), remedy=remedy) for line in lines[:-1]]
