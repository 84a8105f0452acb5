"""Contact sheet of the augmentation policies (face, gray image, motion mask) and their throughput.

    python -m benchmarks.augmentation_sheet --augmentation FILE.yaml --output sheet.jpg

The default output is docs/figures/augmentation_strong.jpg. Columns are faces of the synthetic set at the
paper's sizes (320 px, crops of 299), with the same faces, crops and flips in every block.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from datasets.alignment.similarity import align, five_points_from_68, similarity_transform, template_points
from datasets.augmentation.check import check_augmentation
from datasets.augmentation.content import augmentation_setting
from datasets.augmentation.draw import augmentation_policy
from datasets.batches import Batch, FaceTensors
from datasets.masks.motion_masks import class_motion_masks, to_gray
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS

SIDE, CROP, CELL, HEADER = 320, 299, 116, 22
SHOWN = ("happiness", "surprise", "anger", "disgust")
PEOPLE, COLUMNS = 6, 8
FIGURE = Path("docs/figures/augmentation_strong.jpg")


def drawn_faces() -> FaceTensors:
    """Apex faces of the shown expressions, subject by subject, with the motion masks of these subjects."""
    parameters = SetParameters(subjects=PEOPLE, frames=6, difficulty=0.2, seed=0, size_pixels=512)

    def face(subject: int, expression: str, frame: int) -> np.ndarray:
        picture, points = draw_frame(parameters, subject, EXPRESSIONS.index(expression), frame)
        transform = similarity_transform(five_points_from_68(points), template_points(SIDE))
        return align(picture, transform, SIDE)

    neutral = np.stack([face(subject, SHOWN[0], 0) for subject in range(PEOPLE)])
    images = np.stack([face(subject, name, 5) for subject in range(PEOPLE) for name in SHOWN])
    labels = np.arange(len(images)) % len(SHOWN)
    of_person = np.arange(len(images)) // len(SHOWN)
    masks = class_motion_masks(to_gray(images), to_gray(neutral), of_person, labels, len(SHOWN))
    return FaceTensors(images, labels, masks, "cpu")


def made_by(faces: FaceTensors, setting: str, rows: torch.Tensor, seed: int) -> Batch:
    """The faces of `rows` as augmented for training."""
    draw = augmentation_policy(setting)(len(rows), torch.Generator().manual_seed(seed))
    return faces.batch(rows, draw, CROP)


def block(title: str, batch: Batch) -> np.ndarray:
    """uint8 [HEADER + 3 * CELL, COLUMNS * CELL, 3]: a title, then face, gray image and mask."""
    assert batch.target_mask is not None
    strip = np.full((HEADER, COLUMNS * CELL, 3), 255, np.uint8)
    cv2.putText(strip, title, (4, HEADER - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    rows = [strip]
    for pictures in (batch.image, batch.gray, batch.target_mask):
        pixels = (pictures.expand(-1, 3, -1, -1).permute(0, 2, 3, 1) * 255).round().byte().numpy()
        rows.append(
            np.hstack([cv2.resize(one, (CELL, CELL), interpolation=cv2.INTER_AREA) for one in pixels])
        )
    return np.vstack(rows)


def images_a_second(faces: FaceTensors, setting: str) -> float:
    """Images per second in batches of 16 on one CPU thread, the best of three rounds."""
    rows = torch.arange(16) % len(faces)
    made_by(faces, setting, rows, 0)
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        for seed in range(4):
            made_by(faces, setting, rows, seed)
        seconds.append(time.perf_counter() - started)
    return 4 * 16 / min(seconds)


def main() -> None:
    """Write the sheet and print the throughput of each policy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--augmentation", metavar="FILE", help="custom transforms, shown as a fourth block")
    parser.add_argument("--output", type=Path, default=FIGURE)
    parser.add_argument("--seed", type=int, default=4)
    arguments = parser.parse_args()
    settings = {name: name for name in ("none", "paper", "strong")}
    if arguments.augmentation:
        settings[arguments.augmentation] = augmentation_setting(arguments.augmentation)
    for setting in settings.values():
        check_augmentation(setting, SIDE)
    torch.set_num_threads(1)
    faces = drawn_faces()
    blocks = []
    for title, setting in settings.items():
        blocks.append(block(title, made_by(faces, setting, torch.arange(COLUMNS), arguments.seed)))
        print(f"{title}: {images_a_second(faces, setting):.0f} images/s")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(blocks)).save(arguments.output, quality=88)
    print(f"written: {arguments.output}")


if __name__ == "__main__":
    main()
