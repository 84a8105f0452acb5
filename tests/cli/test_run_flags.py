"""`tune` and `crossval` up to the point where something would run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from datasets.prepared import verified_files
from platform import crossval, tune
from platform.cli.parser import run
from platform.distributed.cluster import Slots
from tests.tiny_faces import SIZE, prepare_tiny, tiny_settings

SMALL = (
    "--preset", "smoke", "--load-size-pixels", str(SIZE), "--image-size-pixels", "32",
    "--folds", "2", "--rounds", "1,1", "--trials", "3",
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the synthetic set would be drawn")

    monkeypatch.setattr("datasets.prepared.preparation.prepare_dataset", refuse)


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared: `synthetic` and `synthetic_wild` of ten subjects."""
    folder = tmp_path_factory.mktemp("data")
    for dataset in ("synthetic", "synthetic_wild"):
        prepare_tiny(folder, dataset, subjects=10)
    return folder


def ended(
    command: str, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    """Exit status, stdout and stderr of a command, run in this process."""
    monkeypatch.setattr(sys, "argv", [command, *argv])
    with pytest.raises(SystemExit) as status:
        run({"tune": tune.main, "crossval": crossval.main}[command])
    captured = capsys.readouterr()
    return status.value.code, captured.out, captured.err


def files_under(folder: Path) -> dict[str, int]:
    """But for the memory of what was verified, which says nothing of what was asked for."""
    return {
        str(path): path.stat().st_mtime_ns if path.is_file() else 0
        for path in sorted(folder.rglob("*"))
        if verified_files.MEMORY_FOLDER not in path.parts
    }


def test_a_dry_run_shows_settings_fold_runs_and_time_and_writes_nothing(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("distributed.cluster", "cli.forecast"):
        monkeypatch.setattr(
            f"platform.{module}.local_slots",
            lambda plan, runs_in_memory=None: Slots(cpus=2, gpus=0, fold_runs=2),
        )
    before = files_under(data_root)
    argv = [*SMALL, "--runs", str(tmp_path / "runs"), "--data-root", str(data_root), "--dry-run"]
    status, out, err = ended("tune", argv, monkeypatch, capsys)
    assert (status, err) == (0, "")
    assert "# tune-synthetic-smoke: resolved settings" in out
    assert "# synthetic: 60 images of 10 subjects, 3 classes, 2 folds (rule paper)" in out
    assert "# search: 3 trials x up to 2 fold runs (space quick, scored on validation splits only)" in out
    assert "# mask transfer to: synthetic_wild" in out
    assert "# settings of cnn: the winner's\n# settings of cnn_no_mask_loss: the winner's\n" in out
    assert "# resources: 2 CPUs, 0 GPUs; 2 fold runs at once" in out
    # 2 folds and 1 transfer target x 3 methods; 2 folds x 3 trials; stage 1 of both roles of 2 folds.
    assert "# final: up to 9 runs" in out
    assert "# inner: up to 6 runs" in out
    assert "# stage 1: up to 4 runs" in out
    assert out.endswith("# dry run: nothing was run\n")
    assert not list(tmp_path.iterdir())
    assert files_under(data_root) == before


def test_a_dry_run_counts_every_seed(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--runs", str(tmp_path / "runs"), "--data-root", str(data_root), "--dry-run"]
    counts: dict[str, list[int]] = {}
    for seeds in ("1", "3"):
        status, out, _ = ended("tune", [*SMALL, "--seeds", seeds, *places], monkeypatch, capsys)
        assert status == 0
        for line in out.splitlines():
            group, _, rest = line.removeprefix("# ").partition(": up to ")
            if rest:
                counts.setdefault(group, []).append(int(rest.split()[0]))
    # The search has the first seed; stage 1 of the final runs is trained once for each.
    assert counts == {"final": [9, 27], "inner": [6, 6], "stage 1": [4, 8]}
    assert "# training: every row with 3 seeds (0, 1, 2); the search uses seed 0 alone\n" in out
    assert "seeds 3" in next(line for line in out.splitlines() if line.startswith("# preset smoke, changed"))
    assert "cached: 0 of 27 final runs" in out


def test_a_dry_run_counts_the_searches_of_the_baselines(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--runs", str(tmp_path / "runs"), "--data-root", str(data_root), "--dry-run"]
    argv = [*SMALL, "--baselines", "cnn", "--tune-baselines", "1", "--transfer-to", "none", *places]
    status, out, _ = ended("tune", argv, monkeypatch, capsys)
    assert status == 0
    assert (
        "# baseline cnn, with a search of its own: 1 trial x up to 2 fold runs (space baseline_quick)" in out
    )
    # 2 folds x (3 trials + 1 of the baseline); 2 folds x 2 methods.
    assert "# inner: up to 8 runs" in out
    assert "# final: up to 4 runs" in out
    assert "tune_baselines: 1" in out
    assert not list(tmp_path.iterdir())


def test_the_plan_shows_the_resolved_settings_as_yaml_that_can_be_given_back(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--runs", str(tmp_path / "runs"), "--data-root", str(data_root), "--dry-run"]
    argv = [*SMALL[:8], "--baselines", "cnn", "--lambda-mask", "3", *common]
    status, out, _ = ended("crossval", argv, monkeypatch, capsys)
    assert status == 0
    shown = "\n".join(line for line in out.splitlines() if not line.startswith("#"))
    settings = yaml.safe_load(shown)
    assert settings["lambda_mask"] == 3.0
    assert settings["selection_rule"] == "paper"
    assert settings["transfer_to"] == "none"  # crossval transfers only when asked
    assert "search:" not in out
    assert "# settings of cnn: those of fmpn\n" in out
    file = tmp_path / "again.yaml"
    file.write_text(shown)
    status, again, _ = ended("crossval", ["--config", str(file), *common], monkeypatch, capsys)
    assert status == 0
    assert yaml.safe_load("\n".join(x for x in again.splitlines() if not x.startswith("#"))) == settings


def test_crossval_needs_no_rounds_for_another_number_of_folds(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [*SMALL[:6], "--folds", "3", "--runs", str(tmp_path), "--data-root", str(data_root), "--dry-run"]
    status, out, err = ended("crossval", argv, monkeypatch, capsys)
    assert (status, err) == (0, "")
    assert "3 folds (rule paper)" in out


@pytest.mark.parametrize(
    ("command", "argv", "parts"),
    [
        ("tune", ["--dataset", "nope"], ["unknown data set 'nope'", "ckplus, fmpn_release, folder, "]),
        ("tune", ["--dataset", "mni"], ["did you mean 'mmi'?"]),
        ("crossval", ["--dataset", ""], ["unknown data set ''"]),
        ("tune", ["--method", "fmpm"], ["unknown method 'fmpm'; did you mean 'fmpn'?"]),
        ("tune", ["--backbone", "resnet19"], ["unknown backbone 'resnet19'; did you mean 'resnet18'?"]),
        ("tune", ["--preset", "quik"], ["'quik'; did you mean 'quick'?"]),
        ("tune", ["--space", "quik"], ["unknown search space 'quik'; did you mean 'quick'?"]),
        ("tune", ["--baselines", "cnn,cnm"], ["unknown method 'cnm'; did you mean 'cnn'?"]),
        ("tune", ["--transfer-to", "nope"], ["unknown data set 'nope'"]),
        ("tune", ["--transfer-to", "synthetic"], ["transferred to another data set", "synthetic", "none"]),
        ("tune", ["--trails", "3"], ["unknown argument '--trails'; did you mean --trials?"]),
        ("crossval", ["--trials", "3"], ["unknown argument '--trials'"]),
        (
            "crossval",
            ["--train-workers", "2", "--stage2-batch-size", "1"],
            ["stage2_batch_size must be at least the number of Train workers, 2, but got 1"],
        ),
        ("tune", ["--rounds", "4,4"], ["rounds must be positive and add up", "(10)", "4,4"]),
        (
            "tune",
            ["--selection-rule", "paper"],
            ["a search chooses by inner, nested, test", "fer crossval"],
        ),
        ("tune", ["--selection-rule", "nest"], ["unknown selection_rule 'nest'; did you mean 'nested'?"]),
        (
            "tune",
            ["--selection-rule", "nested", "--transfer-to", "synthetic_wild"],
            ["one configuration", "--transfer-to none"],
        ),
        (
            "tune",
            ["--selection-rule", "nested", "--rounds", "4,3,3"],
            ["number of validation splits (5)", "for example 2,2,1"],
        ),
        ("crossval", ["--selection-rule", "inner"], ["unknown argument '--selection-rule'"]),
        ("crossval", ["--tune-baselines", "2"], ["unknown argument '--tune-baselines'"]),
        ("tune", ["--tune-baselines", "-1"], ["tune_baselines must be >= 0, but got -1"]),
        (
            "tune",
            ["--tune-baselines", "2", "--baselines", "fmpn"],
            ["searches every baseline other than fmpn, but baselines is 'fmpn'", "drop --tune-baselines"],
        ),
        (
            "tune",
            ["--tune-baselines", "2", "--sampler", "grid", "--set", "lambda_mask=1"]
            + ["--set", "classifier_learning_rate=1e-3", "--set", "generator_learning_rate=1e-4"]
            + ["--set", "backbone=resnet18"],
            ["a search needs a parameter to search"],
        ),
        (
            "tune",
            ["--tune-baselines", "2", "--space", "loss_weights", "--classifier-learning-rate", "0.01"],
            ["--tune-baselines searches cnn over the space baseline_quick: the first", "is 0.01"],
        ),
        ("tune", ["--seed", "x"], ["--seed takes a whole number, but got 'x'"]),
        ("tune", ["--seeds", "1.5"], ["--seeds takes a whole number, but got '1.5'"]),
        ("crossval", ["--seeds", "many"], ["--seeds takes a whole number, but got 'many'"]),
        ("crossval", ["--seeds", "0"], ["seeds must be 1 to 100, but got 0; change --seeds"]),
        ("tune", ["--seeds", "-1"], ["seeds must be 1 to 100, but got -1; change --seeds"]),
        ("crossval", ["--seeds", "1" * 40], ["seeds must be 1 to 100, but got 1111", "change --seeds"]),
        (
            "crossval",
            ["--seed", "2147483646", "--seeds", "3"],
            ["--seed 2147483646 with --seeds 3 goes up to 2147483648; pass a smaller --seed"],
        ),
        ("tune", ["--name", "../other"], ["an experiment's name consists of", "'../other'", "--name"]),
        (
            "tune",
            ["--config", "no/such.yaml"],
            ["cannot read no/such.yaml: No such file or directory; check --config."],
        ),
        ("tune", ["--lambda-mask", "1000"], ["outside the search space", "--space"]),
        ("tune", ["--folds", "20", "--rounds", "20"], ["10 subjects for 20 folds", "--folds 10 or fewer"]),
        ("crossval", ["--folds", "11"], ["10 subjects for 11 folds", "--folds 10 or fewer"]),
        ("crossval", ["--dataset", "ckplus"], ["jeffcohn.net/resources", "--dataset ckplus --source DIR"]),
    ],
)
def test_bad_input_is_one_message_with_status_2_and_nothing_written(
    command: str,
    argv: list[str],
    parts: list[str],
    data_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = files_under(data_root)
    small = [] if "--preset" in argv else SMALL[:6]
    places = ["--runs", str(tmp_path / "runs"), "--data-root", str(data_root)]
    status, out, err = ended(command, [*small, *places, *argv], monkeypatch, capsys)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert "Traceback" not in err
    for part in parts:
        assert part in err
    assert not list(tmp_path.iterdir())
    assert files_under(data_root) == before


def test_an_unknown_key_of_the_configuration_file_is_bad_input_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("lamda_mask: 1\n")
    status, out, err = ended("tune", ["--config", str(file)], monkeypatch, capsys)
    assert (status, out) == (2, "")
    assert "'lamda_mask'; did you mean 'lambda_mask'?" in err
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("command", ["tune", "crossval"])
def test_one_subject_is_refused(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_tiny(tmp_path, "synthetic", subjects=1)
    prepare_tiny(tmp_path, "synthetic_wild", subjects=1)
    argv = [*SMALL[:6], "--data-root", str(tmp_path), "--runs", str(tmp_path / "runs")]
    status, out, err = ended(command, argv, monkeypatch, capsys)
    assert (status, out) == (2, "")
    assert "at least 2 subjects, but got 1" in err
    assert not (tmp_path / "runs").exists()


def test_mmi_without_data_says_where_to_request_it_where_we_looked_and_how_to_prepare_it(
    root: Path, tmp_path: Path
) -> None:
    """The issue's own command, as a user runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "platform.tune", "--dataset", "mmi", "--data-root", str(tmp_path),
         "--runs", str(tmp_path / "runs"), "--load-size-pixels", "64"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "mmifacedb.eu" in done.stderr
    assert str(tmp_path / "prepared" / "mmi-64") in done.stderr
    flags = f"--dataset mmi --source DIR --landmarks detect --data-root {tmp_path} --size 64"
    assert f"./fer prepare {flags}" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_command_in_its_own_process_ends_with_status_2(root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "platform.crossval", "--runs", str(tmp_path), "--backbone", "resnet"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: unknown backbone 'resnet'; did you mean 'resnet50'?")
    assert not list(tmp_path.iterdir())


def test_mmi_runs_once_it_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_tiny(tmp_path, "mmi", subjects=10)
    argv = [*SMALL, "--dataset", "mmi", "--data-root", str(tmp_path), "--runs", str(tmp_path / "runs")]
    status, out, err = ended("tune", [*argv, "--dry-run"], monkeypatch, capsys)
    assert (status, err) == (0, "")
    assert "# mmi: " in out
    assert "inner: up to 6 runs" in out


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (
            ["--runs", "{afile}/runs"],
            ["results cannot be written to", "afile: Not a directory", "pass --runs"],
        ),
        (["--runs", "/proc/runs"], ["results cannot be written to /proc/runs (/proc: ", "pass --runs"]),
        (["--train-workers", "8"], ["for each of 8 Train workers", "pass --train-workers"]),
        (["--weights", "{afile}"], ["afile"]),
        (["--weights", "/no/such.safetensors"], ["there is no file", "/no/such.safetensors"]),
        (["--precision", "fp16"], ["did you mean 'bf16'"]),
        (
            ["--backbone", "inception_v3", "--enlarge-below-pixels", "0"],
            ["inception_v3 needs images of at least 75 px, but gets 32", "--enlarge-below-pixels"],
        ),
        (["--classifier-learning-rate", "-1e-4"], ["classifier_learning_rate must be > 0", "-0.0001"]),
    ],
)
def test_what_cannot_run_is_said_before_anything_is_written(
    flags: list[str], parts: list[str], tmp_path: Path, root: Path
) -> None:
    (tmp_path / "afile").write_bytes(b"not weights")
    words = [flag.format(afile=tmp_path / "afile") for flag in flags]
    data_root = tmp_path / "data"
    prepare_tiny(data_root, "synthetic", subjects=10)
    settings = {**tiny_settings(), "folds": 2, "baselines": [], "transfer_to": "none"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    command = [
        sys.executable, "-m", "platform.crossval", "--preset", "smoke", "--data-root", str(data_root),
        "--config", str(tmp_path / "config.yaml"), "--runs", str(tmp_path / "runs"), *words,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    for part in parts:
        assert part in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()
