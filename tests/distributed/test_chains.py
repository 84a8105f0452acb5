"""What can start at once and what a task waits for, with artifacts that rest on others."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from platform.distributed.chains import dispatched_first, starts
from platform.runs.tasks import FoldTask
from tests.distributed.test_dispatcher import baseline, toy

__all__ = ["toy"]


def test_what_trains_nothing_waits_for_what_it_rests_on(toy: Callable[..., FoldTask]) -> None:
    made = toy()
    second, mean_face = made.artifacts["second"], made.artifacts["mean_face"]
    control = dataclasses.replace(mean_face, identity="0" * 24, rests_on={"second": second})
    alone = dataclasses.replace(made, artifacts={"mean_face": control})
    assert dispatched_first(alone) == ([second], [])
    assert dispatched_first(made) == ([second], [made.artifacts["first"]])
    assert dispatched_first(second) == ([made.artifacts["first"]], [])
    assert dispatched_first(made.artifacts["first"]) == ([], [])


def test_the_ends_of_chains_start_with_the_work_of_what_waits_for_them(
    toy: Callable[..., FoldTask],
) -> None:
    made, alone = toy(), baseline(1)
    first, second = (made.artifacts[name] for name in ("first", "second"))
    ((chain, end, priority), (own, other, nothing)) = starts([made, alone], {})
    assert (end, other) == (first, alone)
    assert (priority, nothing) == (made.gflop + second.gflop, 0.0)
    assert (chain, own) == (priority + first.gflop, alone.gflop)


def test_what_is_stored_is_not_waited_for(toy: Callable[..., FoldTask]) -> None:
    made = toy()
    first, second = (made.artifacts[name].identity for name in ("first", "second"))
    complete = {"status": "complete"}
    assert [one.identity for _, one, _ in starts([made], {first: complete})] == [second]
    assert [one for _, one, _ in starts([made], {first: complete, second: complete})] == [made]
    failed = {"status": "failed"}
    assert [one.identity for _, one, _ in starts([made], {first: failed, second: OSError()})] == [first]
