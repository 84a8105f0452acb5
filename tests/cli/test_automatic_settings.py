"""`auto` from flags to the stored experiment: decided once, said on the plan, reused on every restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform.cli.flags import automatic_settings
from platform.cli.parser import Parser
from platform.cli.planning import crossval_request, plan_request
from platform.cli.run_command import printed_config
from platform.cli.run_flags import add_run_arguments
from platform.errors import UserError
from platform.experiments.description import write_settings
from platform.experiments.driver_lease import leading
from platform.experiments.experiment import Experiment, final_rows
from platform.experiments.rows import all_tasks
from platform.host.gpus import GpusThere
from tests.fake_place import FakePlace, gpu
from tests.tiny_faces import SIZE, prepare_tiny

SMALL = [
    "--load-size-pixels", str(SIZE), "--image-size-pixels", "32", "--folds", "2", "--weights", "none",
    "--backbone", "resnet18", "--generator-width", "4", "--name", "e",
]  # fmt: skip
WITH_GPU = GpusThere(gpus=(gpu(),))


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=9)
    return root


Plan = Callable[..., Experiment]


@pytest.fixture
def planned(data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The experiment that `crossval` plans on a place; `stores`: as a start stores its settings."""

    def plan(place: FakePlace, *flags: str, stores: bool = False) -> Experiment:
        monkeypatch.setattr("platform.experiments.place.ThisMachine", lambda: place)
        monkeypatch.setattr("platform.distributed.cluster.local_slots", lambda plan: None)
        monkeypatch.setattr("platform.cli.automatic_settings.usable_cpus", lambda: 16)
        argv = [
            *SMALL,
            *flags,
            "--data-root",
            str(data_root),
            "--runs",
            str(tmp_path / "runs"),
        ]
        parser = Parser(prog="crossval")
        add_run_arguments(parser, argv, search=False)
        arguments = parser.parse_args(argv)
        experiment = plan_request(crossval_request(arguments), arguments, argv)
        if stores:
            with leading(experiment.folder):
                write_settings(experiment)
        return experiment

    return plan


def records(experiment: Experiment) -> list[dict[str, Any]]:
    tasks = all_tasks(final_rows(experiment, experiment.configuration))
    return [task.record for task in tasks]


def test_a_gpu_is_used_by_default_and_shared(planned: Plan) -> None:
    made = planned(FakePlace(WITH_GPU), "--preset", "smoke")
    assert made.plan.gpus_per_run == 0.0769
    assert {record["device"] for record in records(made)} == {"cuda"}
    assert made.computing == (
        "device: NVIDIA H200 (140.0 GiB); 13 fold runs share a GPU, as many as fit: 10.0 GiB a fold run, "
        "measured",
        "precision: fp32",
    )


def test_without_a_gpu_everything_is_as_it_was_and_the_reason_is_said(planned: Plan) -> None:
    made = planned(FakePlace(), "--preset", "smoke")
    assert made.plan.gpus_per_run == 0
    assert {record["device"] for record in records(made)} == {"cpu"}
    assert made.computing == ("device: CPU (this machine has no GPU)", "precision: fp32")
    assert records(made) == records(planned(FakePlace(WITH_GPU), "--preset", "smoke", "--gpus-per-run", "0"))


@pytest.mark.parametrize("place", [FakePlace(), FakePlace(WITH_GPU)])
def test_the_paper_s_size_trains_in_bf16_where_that_is_faster_and_its_records_say_so(
    planned: Plan, place: FakePlace
) -> None:
    made = planned(place, "--preset", "paper")
    assert {record["config"]["precision"] for record in records(made)} == {"bf16"}
    assert made.computing[1].startswith("precision: bf16 (auto: convolutions train 3.00 times as fast")


def test_where_bf16_is_slower_the_paper_s_records_are_those_of_fp32(planned: Plan) -> None:
    made = planned(FakePlace(ratio=0.5), "--preset", "paper")
    assert made.configuration.precision == "fp32"
    assert records(made) == records(planned(FakePlace(), "--preset", "paper", "--precision", "fp32"))


@pytest.mark.parametrize("preset", ["released", "quick", "smoke"])
def test_other_presets_measure_no_precision(planned: Plan, preset: str) -> None:
    place = FakePlace(ratio=9.0)
    assert planned(place, "--preset", preset).configuration.precision == "fp32"
    assert place.asked["speed"] == 0


def test_a_restart_elsewhere_reuses_what_was_decided(planned: Plan) -> None:
    first = planned(FakePlace(WITH_GPU, ratio=3.0), "--preset", "paper", stores=True)
    smaller = FakePlace(GpusThere(gpus=(gpu(name="NVIDIA A10G", total=24, free=23),)), ratio=0.5)
    again = planned(smaller, "--preset", "paper")
    assert records(again) == records(first)
    assert again.computing == (
        "device: NVIDIA A10G (24.0 GiB); 13 fold runs share a GPU, as e began",
        "precision: bf16 (as e began)",
    )
    assert smaller.asked["speed"] == smaller.asked["peak"] == 0


def test_an_experiment_begun_on_the_cpu_stays_there_though_there_is_a_gpu(planned: Plan) -> None:
    first = planned(FakePlace(ratio=0.5), "--preset", "paper", stores=True)
    again = planned(FakePlace(WITH_GPU), "--preset", "paper")
    assert records(again) == records(first)
    assert again.computing == ("device: CPU (as e began)", "precision: fp32 (as e began)")
    with pytest.raises(UserError, match=r"gpus_per_run was 0.0 and is now 1.0"):
        planned(FakePlace(WITH_GPU), "--preset", "paper", "--gpus-per-run", "1")


def test_an_experiment_begun_on_a_gpu_is_not_continued_without_one(planned: Plan) -> None:
    planned(FakePlace(WITH_GPU), "--preset", "smoke", stores=True)
    with pytest.raises(UserError, match=r"e began on a GPU, .*but this machine has no GPU; .*--name"):
        planned(FakePlace(), "--preset", "smoke")


def test_fewer_fold_runs_may_share_a_gpu_later(planned: Plan) -> None:
    first = planned(FakePlace(WITH_GPU), "--preset", "smoke", stores=True)
    again = planned(FakePlace(WITH_GPU), "--preset", "smoke", "--gpus-per-run", "0.5")
    assert records(again) == records(first)
    assert again.plan.gpus_per_run == 0.5


def test_settings_hold_what_was_decided_and_never_auto(planned: Plan) -> None:
    made = planned(FakePlace(WITH_GPU), "--preset", "paper", stores=True)
    stored = yaml.safe_load((made.folder / "config.yaml").read_text())
    assert (stored["gpus_per_run"], stored["precision"]) == (0.0769, "bf16")


def test_a_dry_run_measures_no_memory_and_says_what_a_start_does(planned: Plan, tmp_path: Path) -> None:
    from platform.files.dry_run import dry_run

    place = FakePlace(WITH_GPU)
    with dry_run():
        made = planned(place, "--preset", "smoke", "--dry-run")
    assert made.computing[0].endswith(
        "one fold run a GPU, because its memory was not measured: a dry run trains nothing"
    )
    assert place.asked["peak"] == 0
    assert not (tmp_path / "runs" / "measurements").exists()


def test_a_dry_run_does_not_ask_a_cluster(planned: Plan) -> None:
    made = planned(FakePlace(), "--preset", "paper", "--address", "auto", "--dry-run")
    assert made.plan.gpus_per_run == 0
    assert all("a real start asks the cluster" in line for line in made.computing)
    flags = ("--preset", "smoke", "--address", "auto", "--dry-run")
    half = planned(FakePlace(), *flags, "--gpus-per-run", "0.5")
    assert half.computing[0] == ("device: GPUs of the cluster; 2 fold runs share a GPU, as gpus_per_run says")


def test_a_full_gpu_is_refused_also_where_a_share_is_asked_for(planned: Plan) -> None:
    full = FakePlace(GpusThere(gpus=(gpu(free=0.001),)))
    with pytest.raises(UserError, match=r"needs about .* \(estimated\), and GPU 0 .* has 1 MiB free"):
        planned(full, "--preset", "smoke", "--gpus-per-run", "0.5")


@pytest.mark.parametrize(
    ("flags", "automatic"),
    [
        ([], {"gpus_per_run"}),
        (["--preset", "paper"], {"gpus_per_run", "precision"}),
        (["--preset", "paper", "--precision", "fp32", "--gpus-per-run", "0"], set()),
        (["--precision", "auto", "--gpus-per-run", "auto"], {"gpus_per_run", "precision"}),
        (["--config", "FILE"], {"precision"}),
        (["--config", "FILE", "--gpus-per-run", "auto"], {"gpus_per_run", "precision"}),
    ],
)
def test_flags_come_before_the_file_and_the_file_before_the_preset(
    tmp_path: Path, flags: list[str], automatic: set[str]
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("gpus_per_run: 0.5\nprecision: auto\n")
    argv = [str(file) if word == "FILE" else word for word in flags]
    parser = Parser(prog="crossval")
    add_run_arguments(parser, argv, search=False)
    assert automatic_settings(parser.parse_args(argv)) == automatic


def test_printed_settings_that_are_auto_say_so_and_are_read_back(tmp_path: Path) -> None:
    def parsed(*argv: str) -> Any:
        parser = Parser(prog="crossval")
        add_run_arguments(parser, argv, search=False)
        return parser.parse_args(list(argv))

    arguments = parsed("--preset", "paper", "--baselines", "")
    text = printed_config(crossval_request(arguments), [], automatic_settings(arguments))
    assert (yaml.safe_load(text)["gpus_per_run"], yaml.safe_load(text)["precision"]) == ("auto", "auto")
    (tmp_path / "printed.yaml").write_text(text)
    again = parsed("--config", str(tmp_path / "printed.yaml"))
    assert automatic_settings(again) == {"gpus_per_run", "precision"}
    assert crossval_request(again).configuration.precision == "fp32"
