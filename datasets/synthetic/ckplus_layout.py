"""Writes a synthetic set in CK+'s native layout (METHODS §6), so that CK+'s adapter reads it.

A set is claimed by `synthetic.json.part` before its first frame and finished by `synthetic.json`
after its last: an interrupted writing goes on where it stopped, and a finished set is left alone.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from datasets.ckplus import EXPRESSION_OF_CODE, IMAGES, LABELS, LANDMARKS
from datasets.synthetic.frames import SetParameters, draw_frame
from datasets.synthetic.performance import EXPRESSIONS
from platform.errors import UserError

MANIFEST = "synthetic.json"
CLAIM = "synthetic.json.part"
CODE_OF_EXPRESSION = {name: code for code, name in EXPRESSION_OF_CODE.items()}
UNLABELLED_EVERY = 5
"""One subject in this many has an eighth sequence without a label, as CK+ has many."""

Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""


def subject_name(parameters: SetParameters, subject: int) -> str:
    """`S001` ...; the people of an in-the-wild set are others, and numbered from `S501`."""
    return f"S{subject + (501 if parameters.in_the_wild else 1):03d}"


def sequences(parameters: SetParameters) -> Iterator[tuple[int, int]]:
    """(subject, sequence) of the whole set, both from 0, in the order of writing."""
    for subject in range(parameters.subjects):
        extra = subject % UNLABELLED_EVERY == UNLABELLED_EVERY - 1
        for sequence in range(len(EXPRESSIONS) + extra):
            yield subject, sequence


def write_synthetic_set(
    root: Path,
    *,
    subjects: int,
    frames: int,
    difficulty: float,
    seed: int,
    size_pixels: int,
    in_the_wild: bool = False,
    progress: Progress | None = None,
) -> None:
    """`write_set` with the parameters one by one, in this process."""
    parameters = SetParameters(
        subjects=subjects, frames=frames, difficulty=difficulty, seed=seed, size_pixels=size_pixels,
        in_the_wild=in_the_wild,
    )  # fmt: skip
    write_set(root, parameters, progress=progress)


def write_set(
    root: Path, parameters: SetParameters, *, workers: int = 1, progress: Progress | None = None
) -> bool:
    """Write the set into `root`, or go on with it; False, and nothing done, where it is already whole.

    The pixels do not depend on `workers`, the number of processes; with more than one, the caller's
    main module must be importable without side effects, as `multiprocessing` asks. Raises UserError
    for a set of other parameters in `root`, and for a folder that holds something else.
    """
    if _is_finished(root, parameters):
        return False
    _claim(root, parameters)
    done, total = 0, frame_count(parameters)
    for frames in _written(root, parameters, workers):
        done += frames
        if progress is not None:
            progress(done, total)
    record = {"format": "synthetic-faces", **parameters.as_record(), "frame_count": total}
    _write_atomically(root / MANIFEST, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    (root / CLAIM).unlink(missing_ok=True)
    return True


def _written(root: Path, parameters: SetParameters, workers: int) -> Iterator[int]:
    """Writes all sequences; yields each one's number of frames when it is on disk."""
    places = list(sequences(parameters))
    if workers == 1:
        yield from (_write_sequence(root, parameters, *place) for place in places)
        return
    # Spawned, not forked: a fork of a process with threads may hang.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread) as pool:
        subjects, numbers = zip(*places, strict=True)
        yield from pool.map(_write_sequence, repeat(root), repeat(parameters), subjects, numbers)


def _one_thread() -> None:
    """OpenCV's own threads would fight with the other workers'."""
    cv2.setNumThreads(1)


def frame_count(parameters: SetParameters) -> int:
    """Frames that a set with these parameters has."""
    return sum(1 for _ in sequences(parameters)) * parameters.frames


def _is_finished(root: Path, parameters: SetParameters) -> bool:
    path = root / MANIFEST
    if not path.is_file():
        return False
    found = _read_record(path)
    wanted = parameters.as_record()
    for name, value in wanted.items():
        if found.get(name) != value:
            raise UserError(
                f"{root} already holds a synthetic set with {name}={found.get(name)}, "
                f"but {name}={value} is wanted; "
                f"choose another folder, or remove this one first (rm -r {root})."
            )
    return True


def _read_record(path: Path) -> dict[str, object]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        record = None
    if not isinstance(record, dict):
        raise UserError(
            f"{path} is damaged; remove its folder (rm -r {path.parent}) and run the same command again."
        )
    return record


def _claim(root: Path, parameters: SetParameters) -> None:
    """Make `root` the place of an unfinished set with these parameters."""
    claim = root / CLAIM
    wanted = parameters.as_record()
    if claim.is_file():
        if _read_record(claim) == wanted:
            return
        for folder in (IMAGES, LABELS, LANDMARKS):
            shutil.rmtree(root / folder, ignore_errors=True)
    elif root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UserError(f"{root} exists and is no synthetic set; name a new or an empty folder.")
    root.mkdir(parents=True, exist_ok=True)
    _write_atomically(claim, json.dumps(wanted, sort_keys=True).encode())


def _write_sequence(root: Path, parameters: SetParameters, subject: int, sequence: int) -> int:
    """All frames of one sequence, then its label, which says that the sequence is whole; their number."""
    person, number = subject_name(parameters, subject), f"{sequence + 1:03d}"
    label_folder = root / LABELS / person / number
    if label_folder.is_dir() and (sequence >= len(EXPRESSIONS) or any(label_folder.glob("*_emotion.txt"))):
        return parameters.frames
    images, landmarks = root / IMAGES / person / number, root / LANDMARKS / person / number
    for folder in (images, landmarks):
        folder.mkdir(parents=True, exist_ok=True)
    name = ""
    for frame in range(parameters.frames):
        picture, points = draw_frame(parameters, subject, sequence, frame)
        name = f"{person}_{number}_{frame + 1:08d}"
        (images / f"{name}.png").write_bytes(encode_png(picture))
        lines = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points)
        (landmarks / f"{name}_landmarks.txt").write_text(lines, encoding="ascii")
    label_folder.mkdir(parents=True, exist_ok=True)
    if sequence < len(EXPRESSIONS):
        code = float(CODE_OF_EXPRESSION[EXPRESSIONS[sequence]])
        _write_atomically(label_folder / f"{name}_emotion.txt", f"   {code:.7e}\n".encode())
    return parameters.frames


def encode_png(picture: np.ndarray) -> bytes:
    """A PNG file of uint8 [H, W, 3] RGB."""
    done, data = cv2.imencode(".png", picture[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise RuntimeError("OpenCV could not encode a PNG")
    return data.tobytes()


def _write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
