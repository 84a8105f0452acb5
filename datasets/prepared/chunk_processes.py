"""Parallel processes that write the chunks of a prepared store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from datasets.records import FrameRecord
from platform.errors import UserError


def in_processes(
    write: Callable[[tuple[int, Sequence[FrameRecord]]], dict[str, Any]],
    chunks: Sequence[tuple[int, Sequence[FrameRecord]]],
    workers: int,
) -> Iterator[dict[str, Any]]:
    """The results of `write` for all chunks, in order, computed by `workers` processes or in this one.

    Raises UserError if a process is killed, and whatever `write` raises.
    """
    if workers == 1 or len(chunks) < 2:
        yield from map(write, chunks)
        return
    # Spawned, because a fork of a process with threads may hang.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread) as pool:
        try:
            yield from pool.map(write, chunks)
        except BrokenProcessPool as error:
            raise UserError(
                "a process of the preparation was killed, possibly for lack of memory; run the same command "
                "with --workers 1."
            ) from error
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _one_thread() -> None:
    """Turn off OpenCV's threads, which would compete with those of the other workers."""
    import cv2

    cv2.setNumThreads(1)
