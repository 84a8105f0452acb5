"""A fold run that starts from a released checkpoint, made by the test: resnet18, because it is quick."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load

from datasets.records import FrameRecord
from platform.config.configuration import Configuration, Plan
from platform.crossval import main as crossval
from platform.errors import UserError
from platform.models.networks.backbone_nets import build_backbone
from platform.models.released_checkpoint import PARTS, pin_released
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.execute import execute
from platform.runs.fold_tasks import PlannedData, final_tasks, plan_data, source_substitute
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.tune import main as tune
from tests.tiny_faces import noise, tiny_configuration
from tests.written_stores import write_store

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

CLASSES = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
SIZE = 34


@pytest.fixture(scope="module")
def release(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three files of an epoch, random; the path of the classifier's."""
    folder = tmp_path_factory.mktemp("release")
    shapes = json.loads((root / "tests/data/released_state_shapes.json").read_text())
    random = torch.Generator().manual_seed(0)
    for part in PARTS[:2]:
        state = {
            name: torch.rand(shape, generator=random) / max(1, np.prod(shape[1:])) ** 0.5
            for name, shape in shapes[part].items()
            if not name.endswith("num_batches_tracked")
        }
        torch.save(state, folder / f"200_net_{part}.pth")
    torch.manual_seed(0)
    net = build_backbone("resnet18", 7, width=1.0, weights="none", transform_input=True)
    torch.save(net.state_dict(), folder / "200_net_cls.pth")
    return folder / "200_net_cls.pth"


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four subjects with a neutral face and one of each of CK+'s seven classes."""
    root = tmp_path_factory.mktemp("data")
    rows = [
        FrameRecord(
            subject_id=subject,
            sequence_id=f"{subject}_{number:03d}",
            frame=1,
            expression=name,
            role="neutral" if name == "neutral" else "expressive",
            source="",
            landmarks=None,
        )
        for subject in ("S1", "S2", "S3", "S4")
        for number, name in enumerate(("neutral", *CLASSES))
    ]
    folder = root / "prepared" / f"synthetic-{SIZE}"
    write_store(folder, "synthetic", SIZE, rows, lambda row: noise(row.image_name, SIZE), aligned=True)
    return root


def configuration(release: Path, **changes: object) -> Configuration:
    return tiny_configuration(
        weights=f"released:{release}",
        backbone_width=1.0,
        generator_width=64,
        generator_blocks=4,
        classifier_learning_rate=1e-9,
        generator_learning_rate=0.0,
        **changes,
    )


@pytest.fixture(scope="module")
def planned(release: Path, data_root: Path) -> PlannedData:
    return plan_data(data_root, "synthetic", configuration(release), Plan(folds=2, rounds=(1, 1)))


def task(release: Path, planned: PlannedData, **changes: object) -> FoldTask:
    return final_tasks(configuration(release, **changes), planned, Machine())[0]


def test_the_fold_run_has_no_stage_1_and_ends_where_it_started(
    release: Path, planned: PlannedData, tmp_path: Path
) -> None:
    """With a learning rate of 1e-9 the trained nets are the released ones; the generator may be frozen."""
    made = task(release, planned, freeze_generator=True)
    assert "stage1" not in made.artifacts
    assert made.record["stage1"] is None
    assert made.record["config"]["weights"] == pin_released(f"released:{release}")
    manifest = execute(made, str(tmp_path))
    assert manifest["status"] == "complete"
    trained = load(ResultsStore(tmp_path).read("fold_runs", made.identity, "weights.safetensors"))
    states = {part: torch.load(release.with_name(f"200_net_{part}.pth"), weights_only=True) for part in PARTS}
    for ours, part, theirs in (
        ("mask_generator.head.weight", "resface", "res_top.0.weight"),
        ("prior_fusion.face.0.weight", "fusion", "process_a.0.weight"),
        ("classifier.backbone.fc.weight", "cls", "fc.weight"),
    ):
        torch.testing.assert_close(trained[ours], states[part][theirs], rtol=0, atol=1e-6)


def test_the_content_names_the_run_and_other_weights_keep_their_identity(
    release: Path, planned: PlannedData, tmp_path: Path
) -> None:
    made = task(release, planned)
    for part in PARTS:
        (tmp_path / f"200_net_{part}.pth").write_bytes(release.with_name(f"200_net_{part}.pth").read_bytes())
    assert task(tmp_path / "200_net_cls.pth", planned).identity == made.identity
    plain = dataclasses.replace(configuration(release), weights="none")
    assert final_tasks(plain, planned, Machine())[0].identity != made.identity
    assert "released" not in json.dumps(final_tasks(plain, planned, Machine())[0].record)


def test_a_node_that_lacks_the_file_says_so_in_one_sentence(
    release: Path, planned: PlannedData, tmp_path: Path
) -> None:
    for part in PARTS:
        (tmp_path / f"200_net_{part}.pth").write_bytes(release.with_name(f"200_net_{part}.pth").read_bytes())
    made = task(tmp_path / "200_net_cls.pth", planned)
    (tmp_path / "200_net_fusion.pth").unlink()
    with pytest.raises(EnvironmentFailure, match=r"200_net_fusion.pth.*which every node has to see"):
        execute(made, str(tmp_path / "runs"))
    assert ResultsStore(tmp_path / "runs").manifest("fold_runs", made.identity) is None


def test_a_generator_of_another_data_set_and_a_released_one_exclude_each_other(
    release: Path, planned: PlannedData
) -> None:
    with pytest.raises(UserError, match=r"bring a mask generator, .*; pass --transfer masks"):
        source_substitute("stage1", planned, configuration(release), Machine())
    plain = dataclasses.replace(configuration(release), weights="none")
    substitutes = {"stage1": source_substitute("stage1", planned, plain, Machine())}
    with pytest.raises(UserError, match=r"bring a mask generator, .*; pass --transfer masks"):
        final_tasks(configuration(release), planned, Machine(), substitutes=substitutes)


NETS = ["--backbone", "resnet18", "--backbone-width", "1", "--generator-width", "64"]


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        (crossval, ["--baselines", ""]),
        (tune, ["--baselines", "", "--space", "loss_weights", "--transfer-to", "none", "--trials", "2"]),
    ],
)
def test_the_commands_plan_it_and_run_no_stage_1(
    command: object, flags: list[str], release: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    argv = ["--preset", "smoke", "--folds", "3", *NETS, "--weights", f"released:{release}", *flags]
    command([*argv, "--dry-run"])  # type: ignore[operator]
    out = capsys.readouterr().out
    assert "released:" in out
    assert "stage-1 runs" not in out or "0 stage-1 runs" in out
    with pytest.raises(UserError, match=r"has seen people of CK\+|is not prepared"):
        command([*argv, "--dataset", "ckplus", "--dry-run"])  # type: ignore[operator]
