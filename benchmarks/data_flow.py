"""Throughput of the data path with a data set of AffectNet's size.

    python -m benchmarks.data_flow                        24,530 synthetic faces at the quick preset's size
    python -m benchmarks.data_flow --folder /tmp/flow     keeps the prepared faces for the next call

Generates in-the-wild faces, prepares them as a data set, and measures in a separate process the steps of a
fold run: opening the prepared set, moving the training faces to the device, and one shuffled epoch of crops
and flips in batches of 16.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np

import platform
from datasets.alignment.similarity import align, five_points_from_68, similarity_transform, template_points
from datasets.prepared.face_chunks import FrameSource, Recipe
from datasets.prepared.store import PreparedStore
from datasets.prepared.store_writer import write_prepared
from datasets.records import FrameRecord
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from platform.cli.progress_line import ProgressLine
from platform.config.presets import preset

FACES, BATCH = 24_530, 16
FRAMES = (3, 4, 5)
"""Frames used from each sequence, near the apex."""


def main() -> None:
    """Prepare if needed, measure in a separate process, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="keep the prepared faces there (default: not kept)")
    parser.add_argument("--faces", type=int, default=FACES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.device)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)) / f"faces-{arguments.faces}"
        prepare(folder, arguments.faces)
        command = [sys.executable, "-m", "benchmarks.data_flow", "--device", arguments.device]
        found = {}
        for _ in range(2):  # the first reading brings the file into the page cache
            done = subprocess.run(
                [*command, "--measure", str(folder)], check=True, capture_output=True, text=True
            )
            found = json.loads(done.stdout)
    print(f"{platform.processor() or platform.machine()}, device {arguments.device}, {arguments.faces} faces")
    for name, value in found.items():
        print(f"{name:<44} {value:>10,.2f}")


def prepare(folder: Path, count: int) -> None:
    """Write the synthetic faces as a prepared set unless it exists."""
    if (folder / "manifest.json").exists():
        return
    settings = preset("quick")
    side = settings["load_size_pixels"]
    write_prepared(
        folder,
        "affectnet",
        records(count),
        FrameSource(read_frame=AlignedFaces(side), sha256=_drawn),
        Recipe(size_pixels=side, aligned=True),
        workers=2,
        progress=ProgressLine("generated and prepared"),
    )


def _drawn(record: FrameRecord) -> str:
    """Empty, because no file belongs to a frame."""
    return ""


def records(count: int) -> list[FrameRecord]:
    """`count` frames, cycling through seven expressions; every image is its own subject, as in AffectNet."""
    made = []
    for number in range(count):
        place, sequence = divmod(number, len(EXPRESSIONS))
        person, frame = divmod(place, len(FRAMES))
        name = f"I{number:06d}"
        made.append(
            FrameRecord(
                subject_id=name,
                sequence_id=name,
                frame=FRAMES[frame],
                expression=EXPRESSIONS[sequence],
                role="expressive",
                source=f"{person}/{sequence}/{FRAMES[frame]}",
                landmarks=None,
            )
        )
    return made


class AlignedFaces:
    """Draws and aligns the face of a record; can be sent to other processes."""

    def __init__(self, side: int) -> None:
        self.side = side

    def __call__(self, record: FrameRecord) -> np.ndarray:
        """uint8 (side, side, 3)."""
        person, sequence, frame = map(int, record.source.split("/"))
        picture, points = draw_frame(_people(person // 500), person % 500, sequence, frame)
        transform = similarity_transform(five_points_from_68(points), template_points(self.side))
        return align(picture, transform, self.side)


@lru_cache
def _people(seed: int) -> SetParameters:
    return SetParameters(
        subjects=500, frames=6, difficulty=0.5, seed=100 + seed, size_pixels=96, in_the_wild=True
    )


def measure(folder: Path, device: str) -> dict[str, float]:
    """Seconds, images/s and memory of a fold run's steps on the prepared set."""
    import torch

    from datasets.augmentation.draw import augmentation_policy
    from datasets.batches import FaceTensors, epoch_order, split_batches
    from datasets.folds.view import FoldView

    torch.set_num_threads(2)
    before = _peak_mib()
    started = time.perf_counter()
    store = PreparedStore.open(folder)
    opened = time.perf_counter()
    subjects = sorted(set(store.subjects.tolist()))
    cut = len(subjects) // 10
    view = FoldView(store, train_subjects=subjects[cut:], evaluation_subjects=subjects[:cut], role="final")
    rows = view.training_rows
    masks = np.zeros((len(store.class_names), *store.images.shape[1:3]), dtype=np.uint8)
    faces = FaceTensors(view.read(rows), view.labels(rows), masks, device)
    moved = time.perf_counter()
    policy, generator = augmentation_policy("paper"), torch.Generator().manual_seed(0)
    size = preset("quick")["image_size_pixels"]
    for batch_rows in split_batches(epoch_order(len(rows), generator), BATCH):
        faces.batch(batch_rows, policy(len(batch_rows), generator), size)
    if device == "cuda":
        torch.cuda.synchronize()
    ended = time.perf_counter()
    return {
        "seconds to open the store": opened - started,
        "seconds to move the training faces": moved - opened,
        "training faces": float(len(rows)),
        "images/s of a shuffled epoch": len(rows) / (ended - moved),
        "images/s with opening and moving": len(rows) / (ended - started),
        "MiB of memory beyond the libraries, at peak": _peak_mib() - before,
        "MiB of the store's images": store.images.nbytes / 2**20,
    }


def _peak_mib() -> float:
    """Peak resident memory of this process, including touched pages of the mapped file."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
