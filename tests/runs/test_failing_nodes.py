from __future__ import annotations

from platform.runs.failing_nodes import FAILURES_IN_A_ROW, FailingNodes

NODES = ("a", "b", "c")


def fails(nodes: FailingNodes, node: str, *runs: str) -> None:
    for run in runs:
        nodes.failed(node, run)


def test_a_node_that_fails_what_others_can_do_is_set_aside() -> None:
    nodes = FailingNodes()
    fails(nodes, "a", "1", "2")
    nodes.finished("b", "3")
    assert nodes.to_set_aside(NODES) is None
    nodes.failed("a", "4")
    assert nodes.count("a") == FAILURES_IN_A_ROW
    assert nodes.to_set_aside(NODES) == "a"
    assert nodes.to_set_aside(("b", "c")) is None


def test_it_is_set_aside_once_another_finishes_something_after_its_failures() -> None:
    nodes = FailingNodes()
    nodes.finished("b", "0")
    fails(nodes, "a", "1", "2", "3")
    assert nodes.to_set_aside(NODES) is None
    nodes.finished("b", "1")
    assert nodes.to_set_aside(NODES) == "a"


def test_the_last_node_never_is() -> None:
    nodes = FailingNodes()
    fails(nodes, "a", "1", "2", "3")
    nodes.finished("b", "1")
    assert nodes.to_set_aside(("a",)) is None


def test_a_run_that_is_finished_there_starts_the_count_again() -> None:
    nodes = FailingNodes()
    fails(nodes, "a", "1", "2")
    nodes.finished("a", "3")
    nodes.failed("a", "4")
    nodes.finished("b", "5")
    assert nodes.to_set_aside(NODES) is None


def test_one_run_that_fails_again_and_again_counts_once_it_has_succeeded_elsewhere() -> None:
    nodes = FailingNodes()
    fails(nodes, "a", "1", "1", "1")
    nodes.finished("b", "2")
    assert nodes.to_set_aside(NODES) is None
    nodes.finished("b", "1")
    assert nodes.to_set_aside(NODES) == "a"


def test_what_fails_everywhere_speaks_against_the_run() -> None:
    """Such as a configuration that needs more memory than any node has."""
    nodes = FailingNodes()
    fails(nodes, "a", "1", "2", "1")
    fails(nodes, "b", "1", "2", "2")
    nodes.finished("c", "3")
    assert nodes.to_set_aside(NODES) is None
    nodes.finished("c", "1")
    nodes.finished("c", "2")
    assert nodes.to_set_aside(NODES) == "a"


def test_a_node_that_comes_back_is_judged_anew() -> None:
    nodes = FailingNodes()
    fails(nodes, "a", "1", "2", "3")
    nodes.left("a")
    nodes.finished("b", "1")
    assert nodes.to_set_aside(NODES) is None
    assert nodes.count("a") == 0
