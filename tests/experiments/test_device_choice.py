"""The device of an experiment as a truth table, sharing by measured memory, and a GPU that is full."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan, configuration_of
from platform.errors import UserError
from platform.experiments.capacity import largest_task
from platform.experiments.device_choice import (
    Sharing,
    choose_device,
    choose_sharing,
    device_line,
    refuse_full,
    slots_by_cpus,
    trains_a_net,
)
from platform.experiments.measurements import Measurements
from platform.host.gpus import Gpu, GpusThere
from tests.experiments.test_capacity import experiment
from tests.fake_place import FakePlace, gpu

NONE = GpusThere(why_none="torch is built without CUDA")
ONE = GpusThere(gpus=(gpu(),))
TWO = GpusThere(gpus=(gpu(0), gpu(1)))
GROWING = GpusThere(may_grow=True)


def device(there: GpusThere, *, workers: int = 0, trains_net: bool = True, **given: float | None) -> Any:
    return choose_device(
        given.get("asked"),
        given.get("stored"),
        lambda: there,
        workers=workers,
        trains_net=trains_net,
        name="mine",
        where="this machine",
    )


@pytest.mark.parametrize(
    ("there", "given", "gpus", "shares", "why"),
    [
        (ONE, {}, 1.0, True, "auto"),
        (NONE, {}, 0.0, False, "torch is built without CUDA"),
        (ONE, {"asked": 0.0}, 0.0, False, "gpus_per_run is 0"),
        (ONE, {"asked": 0.25}, 0.25, False, "as gpus_per_run says"),
        (ONE, {"stored": 0.0}, 0.0, False, "as mine began"),
        (ONE, {"stored": 0.25}, 0.25, False, "as mine began"),
        (ONE, {"asked": 0.5, "stored": 0.25}, 0.5, False, "as gpus_per_run says"),
        (ONE, {"trains_net": False}, 0.0, False, "no net is trained"),
        (ONE, {"trains_net": False, "asked": 1.0}, 1.0, False, "as gpus_per_run says"),
        (ONE, {"workers": 1}, 1.0, True, "auto"),
        (TWO, {"workers": 2}, 1.0, False, "auto"),
        (
            ONE,
            {"workers": 2},
            0.0,
            False,
            "2 Train workers need a GPU each, but this machine has",
        ),
        (GROWING, {"workers": 2}, 1.0, False, "auto"),
        (GROWING, {}, 1.0, True, "auto"),
    ],
)
def test_the_device(there: GpusThere, given: dict[str, Any], gpus: float, shares: bool, why: str) -> None:
    found = device(there, **given)
    assert (found.gpus_per_run, found.share_is_open) == (gpus, shares)
    assert found.why.startswith(why)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"asked": 0.5}, r"run 0.5 needs a GPU, but torch is built without CUDA; pass --gpus-per-run 0"),
        ({"stored": 1.0}, r"mine began on a GPU, .*, but torch is built without CUDA; .* pass --name"),
    ],
)  # fmt: skip
def test_a_gpu_that_is_needed_and_not_there_is_one_clear_error(given: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        device(NONE, **given)


def test_no_gpu_is_looked_for_where_none_is_wanted() -> None:
    def look() -> GpusThere:
        raise AssertionError

    for asked, stored in ((0.0, None), (None, 0.0)):
        found = choose_device(asked, stored, look, workers=0, trains_net=True, name="mine", where="")
        assert found.gpus_per_run == 0


def sharing(tmp_path: Path, place: FakePlace, gpus: tuple[Gpu, ...], wanted: int) -> Sharing:
    task = largest_task(experiment(tmp_path), search=False)
    return choose_sharing(task, gpus, Measurements(place, tmp_path / "runs"), wanted=wanted)


@pytest.mark.parametrize(
    ("gpus", "peak_gib", "cpus", "runs", "share", "said"),
    [
        ((gpu(free=139),), 10.0, 16, 13, 0.0769, "13 fold runs share a GPU, as many as fit: 10.0 GiB a fold"),
        ((gpu(free=139),), 10.0, 4, 4, 0.25, "4 fold runs share a GPU, as many as the CPUs allow"),
        ((gpu(free=139), gpu(1, free=139)), 10.0, 5, 3, 0.3333, "3 fold runs share a GPU"),
        ((gpu(free=139), gpu(1, free=22)), 10.0, 16, 2, 0.5, "2 fold runs share a GPU, as many as fit"),
        ((gpu(free=11),), 10.0, 16, 1, 1.0, "one fold run a GPU, as many as fit"),
        ((gpu(free=10.2),), 10.0, 16, 1, 1.0, "one fold run a GPU"),
        ((gpu(free=139),), 0.5, 1000, 100, 0.01, "100 fold runs share a GPU"),
    ],
)
def test_as_many_runs_share_a_gpu_as_the_measured_memory_allows(
    tmp_path: Path, gpus: tuple[Gpu, ...], peak_gib: float, cpus: int, runs: int, share: float, said: str
) -> None:
    found = sharing(tmp_path, FakePlace(peak_gib=peak_gib), gpus, cpus)
    assert (found.runs, found.gpus_per_run) == (runs, share)
    assert found.why.startswith(said)
    assert int(len(gpus) / found.gpus_per_run + 1e-9) == runs * len(gpus), "Ray places exactly as many"


def test_where_memory_cannot_be_measured_one_run_has_a_gpu_and_that_is_said(tmp_path: Path) -> None:
    found = sharing(tmp_path, FakePlace(failure="there was no answer within 300 s"), (gpu(),), 16)
    assert (found.runs, found.gpus_per_run) == (1, 1.0)
    assert found.why == (
        "one fold run a GPU, because its memory was not measured: there was no answer within 300 s"
    )


@pytest.mark.parametrize(("peak_gib", "needs"), [(10.0, r"about 10.0 GiB \(measured\)"), (None, "more")])
def test_a_full_gpu_is_one_error_that_names_it_its_free_memory_the_need_and_the_remedy(
    tmp_path: Path, peak_gib: float | None, needs: str
) -> None:
    full = gpu(1, total=24, free=2)
    said = (
        rf"needs {needs}, and GPU 1 \(NVIDIA H200\) has 2.0 GiB free of 24.0 GiB, with 22.0 GiB in use; end"
    )
    with pytest.raises(UserError, match=said):
        sharing(tmp_path, FakePlace(peak_gib=peak_gib), (gpu(0), full) if peak_gib else (full,), 16)


def test_an_estimate_refuses_only_what_is_below_it() -> None:
    refuse_full([gpu(free=2)], 2 * 2**30, "estimated")
    with pytest.raises(UserError, match=r"about 2.5 GiB \(estimated\).*--gpus-per-run 0"):
        refuse_full([gpu(free=2)], 2.5 * 2**30, "estimated")


@pytest.mark.parametrize(
    ("there", "gpus", "sharing", "line"),
    [
        (NONE, 0.0, "", "device: CPU (torch is built without CUDA)"),
        (
            ONE,
            0.25,
            "4 fold runs share it",
            "device: NVIDIA H200 (140.0 GiB); 4 fold runs share it",
        ),
        (TWO, 1.0, "", "device: 2 x NVIDIA H200 (140.0 GiB each); a GPU for each fold run, auto"),
    ],
)
def test_the_plan_s_line(there: GpusThere, gpus: float, sharing: str, line: str) -> None:
    assert device_line(device(there), gpus, sharing) == line


def test_a_share_as_asked_is_said_with_how_many_it_makes() -> None:
    assert device_line(device(ONE, asked=0.3333), 0.3333).endswith(
        "; 3 fold runs share a GPU, as gpus_per_run says"
    )
    whole = device_line(device(GROWING, asked=2.0), 2.0)
    assert whole == "device: GPUs of the cluster; 2 GPUs for each fold run, as gpus_per_run says"


def test_a_method_with_a_net_trains_one_and_so_do_its_baselines() -> None:
    assert trains_a_net(configuration_of("cnn"), Plan(baselines=()))


def test_fold_runs_that_the_cpus_allow(tmp_path: Path) -> None:
    assert slots_by_cpus(experiment(tmp_path, cpus_per_run=3), 16) == 5
    assert slots_by_cpus(experiment(tmp_path, cpus_per_run=3), 2) == 1
