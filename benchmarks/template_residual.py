"""Fit of five measured landmarks to the alignment template: figures of docs/data_sets.md.

    python -m benchmarks.template_residual tests/data/ckplus_landmarks5_excerpt.csv

Residuals are root mean squares over the five points after the similarity transform, in crop sides.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from datasets.alignment.similarity import TEMPLATE, residual, similarity_transform, transform_points
from datasets.raw.landmarks import read_landmarks

POINTS = ("left eye", "right eye", "nose", "left mouth corner", "right mouth corner")


def main() -> None:
    """Print the distribution of residuals and the mean offset of each point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("landmarks", type=Path, help="CSV file with five points per frame")
    frames = read_landmarks(parser.parse_args().landmarks).all_points
    off = np.array([residual(points) for points in frames])
    print(f"{len(off)} frames: residual median {np.median(off):.3f}, mean {off.mean():.3f}, "
          f"95 % below {np.quantile(off, 0.95):.3f}, largest {off.max():.3f}")  # fmt: skip
    offsets = np.stack(
        [transform_points(similarity_transform(points, TEMPLATE), points) - TEMPLATE for points in frames]
    )
    for name, (x, y), spread in zip(POINTS, offsets.mean(axis=0), offsets.std(axis=0), strict=True):
        print(f"  {name:<18} mean offset x {x:+.3f}, y {y:+.3f}; spread x {spread[0]:.3f}, y {spread[1]:.3f}")


if __name__ == "__main__":
    main()
