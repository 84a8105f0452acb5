"""A cluster's GPUs: one question per type, on a node that has it, which is started if none is up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from platform.distributed.cluster_place import ClusterPlace, ask_node, gpus_by_type, most_resources
from platform.experiments.place import MeasurementError
from platform.host.gpus import Gpu, GpusThere
from platform.host.processor import processor_name
from tests.fake_place import gpu

HEAD = {"Alive": True, "Resources": {"CPU": 0.0, "node:__internal_head__": 1.0}}
A10G = {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 1.0, "accelerator_type:A10G": 1.0}}
T4S = {"Alive": True, "Resources": {"CPU": 16.0, "GPU": 4.0, "accelerator_type:T4": 1.0}}
LOST = {"Alive": False, "Resources": {"GPU": 8.0}}


class Nodes:
    """Nodes that answer for their GPUs, and what they were asked."""

    def __init__(self, answers: Mapping[str, GpusThere | str]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.told: list[str] = []

    def ask(self, function: Any, arguments: tuple[Any, ...], **options: Any) -> Any:
        (kind,) = options.get("resources") or [""]
        self.asked.append((function.__name__, options))
        if function.__name__ != "gpus_here":
            return 7
        answer = self.answers[kind.removeprefix("accelerator_type:")]
        if isinstance(answer, str):
            raise MeasurementError(answer)
        return answer

    def place(self) -> ClusterPlace:
        return ClusterPlace("auto", lambda: None, self.told.append, self.ask)


def there(name: str) -> GpusThere:
    return GpusThere(gpus=(gpu(name=name),))


def names(gpus: tuple[Gpu, ...]) -> list[tuple[int, str]]:
    return [(one.index, one.name) for one in gpus]


def test_gpus_are_counted_by_ray_s_type() -> None:
    resources = [node["Resources"] for node in (HEAD, A10G, T4S, A10G)]
    assert gpus_by_type(resources) == {"A10G": 2, "T4": 4}  # type: ignore[arg-type]
    assert gpus_by_type([{"GPU": 2.0}]) == {"": 2}


def test_a_head_without_a_gpu_does_not_mean_that_there_is_none() -> None:
    nodes = Nodes({"A10G": there("NVIDIA A10G"), "T4": there("Tesla T4")})
    place = nodes.place()
    found = place.gpus_among(lambda: [HEAD, A10G, T4S, A10G, LOST], {})
    models = ["NVIDIA A10G"] * 2 + ["Tesla T4"] * 4
    assert names(found.gpus) == list(enumerate(models))
    assert [options["resources"] for _, options in nodes.asked] == [
        {"accelerator_type:A10G": 0.001},
        {"accelerator_type:T4": 0.001},
    ]
    assert all((options["num_gpus"], options["num_cpus"]) == (1, 1) for _, options in nodes.asked)
    assert not found.may_grow
    assert found.cpus == 6 * 8, "of the node with the most CPUs a GPU"
    # A measurement goes to a node of that type.
    assert place.peak_bytes("a task", "Tesla T4") == 7  # type: ignore[arg-type]
    assert nodes.asked[-1] == ("measured_peak_bytes", nodes.asked[1][1])


def test_a_node_is_started_where_the_autoscaler_may_add_one() -> None:
    nodes = Nodes({"": there("NVIDIA A10G")})
    listed = iter([[HEAD], [HEAD, A10G]])
    found = nodes.place().gpus_among(lambda: next(listed), {"CPU": 64, "GPU": 8})
    assert names(found.gpus) == [(0, "NVIDIA A10G")]
    assert found.may_grow
    assert found.cpus == 8
    assert nodes.told == ["Starting a GPU node to ask it ..."]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"A10G": "no node answered within 20 min"}, "cannot use theirs: no node answered within 20 min"),
        ({"A10G": GpusThere(why_none="torch is built without CUDA")}, "theirs: torch is built without CUDA"),
    ],
)
def test_gpu_nodes_that_cannot_use_theirs_say_why(answers: dict[str, GpusThere | str], why: str) -> None:
    found = Nodes(answers).place().gpus_among(lambda: [HEAD, A10G], {})
    assert not found.gpus
    assert found.why_none.endswith(why)


def test_a_cluster_without_gpus_is_asked_nothing() -> None:
    nodes = Nodes({})
    found = nodes.place().gpus_among(lambda: [HEAD], {"CPU": 64, "GPU": 0})
    assert found.why_none == "no node of the cluster has a GPU, and its autoscaler starts none"
    assert not nodes.asked


def test_it_is_connected_to_once_and_only_when_asked(tmp_path: Path) -> None:
    connections: list[int] = []
    nodes = Nodes({})
    place = ClusterPlace("auto", lambda: connections.append(1), nodes.told.append, nodes.ask)
    assert place.words == "the cluster at auto"
    assert not connections
    assert place.processor() == place.speed("", 2) == 7  # type: ignore[comparison-overlap]
    assert connections == [1]
    assert nodes.asked[1] == ("measure_speed", {"num_cpus": 2})


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_a_node_answers_and_what_no_node_has_is_a_failed_measurement(cluster: Any) -> None:
    assert most_resources() == {}, "no autoscaler"
    assert ask_node(processor_name, (), num_cpus=1) == processor_name()
    with pytest.raises(MeasurementError, match="no node answered within"):
        ask_node(processor_name, (), num_gpus=1, timeout_seconds=1)
    with pytest.raises(MeasurementError, match="AttributeError: 'int'"):
        ask_node(processor_name, (1,), num_cpus=1)
