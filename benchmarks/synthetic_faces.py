"""Drawing speed of synthetic faces: faces per second by size, setting and number of processes.

    python -m benchmarks.synthetic_faces --processes 2

Source of the speed figures in docs/synthetic.md.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def draw_some(size_pixels: int, wild: bool, first_subject: int, count: int) -> float:
    """Seconds for `count` frames of changing subjects and expressions, after one warm-up frame."""
    import cv2

    from datasets.synthetic.frames import draw_frame
    from datasets.synthetic.parameters import SetParameters

    cv2.setNumThreads(1)
    parameters = SetParameters(
        subjects=500, frames=6, difficulty=0.5, seed=0, size_pixels=size_pixels, in_the_wild=wild
    )
    draw_frame(parameters, first_subject, 0, 0)
    started = time.perf_counter()
    for index in range(count):
        # Four frames per subject, because a set has many: a subject's identity is computed once.
        draw_frame(parameters, first_subject + index // 4, index % 7, 2 + index % 4)
    return time.perf_counter() - started


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--faces", type=int, default=200, help="faces per process and size")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best is shown")
    arguments = parser.parse_args()
    print(f"{arguments.processes} processes, best of {arguments.rounds} rounds")
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        for wild in (False, True):
            for size in (96, 192, 320):
                rates = []
                for _ in range(arguments.rounds):
                    futures = [
                        pool.submit(draw_some, size, wild, 100 * process, arguments.faces)
                        for process in range(arguments.processes)
                    ]
                    slowest = max(future.result() for future in futures)
                    rates.append(arguments.processes * arguments.faces / slowest)
                place = "in the wild" if wild else "laboratory"
                print(f"{size:4} px, {place:<11}  {max(rates):6.0f} faces/s", flush=True)


if __name__ == "__main__":
    main()
