"""What a row needs of its data is known before anything runs, for every method, mask source and control."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from datasets.masks.controls import CONTROLS, WITHOUT_MASKS
from datasets.prepared.store import store_folder
from platform.config.configuration import Plan
from platform.errors import UserError
from platform.experiments.experiment import plan_experiment
from platform.experiments.mask_substitutes import WITHOUT_STAGE_1, control_of_masks
from platform.experiments.row_needs import check_needs
from platform.models import load_method, method_names
from platform.runs.fold_tasks import PlannedData, final_tasks, plan_data, source_substitute, step_tasks
from platform.runs.mask_sets import load_masks
from platform.runs.planned_tasks import NOTHING, Machine
from platform.runs.store import ResultsStore
from tests.tiny_faces import SIZE, face, prepare_tiny, records, tiny_configuration
from tests.written_stores import write_store

PLAN = Plan(folds=2, holdout_share=0.3)
NO_NEUTRAL = "needs one neutral face of each subject.*--masks released DIR"


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=6)
    prepare_tiny(root, "synthetic_wild", subjects=10, without=("neutral",))
    return root


@pytest.fixture(scope="module")
def wild(data_root: Path) -> PlannedData:
    return plan_data(data_root, "synthetic_wild", tiny_configuration(), PLAN)


@pytest.mark.parametrize("method", method_names())
def test_each_method_that_uses_masks_needs_neutral_faces(wild: PlannedData, method: str) -> None:
    tasks = final_tasks(tiny_configuration(method=method), wild, Machine())
    if "masks" in load_method(method).artifacts(tiny_configuration(method=method)):
        with pytest.raises(UserError, match=NO_NEUTRAL):
            check_needs(tasks, [wild])
    else:
        check_needs(tasks, [wild])


@pytest.mark.parametrize("control", CONTROLS)
def test_controls_that_are_drawn_need_none_and_are_made_without(
    wild: PlannedData, tmp_path: Path, control: str
) -> None:
    tasks = final_tasks(tiny_configuration(), wild, Machine(), substitutes=control_of_masks(control))
    if control not in WITHOUT_MASKS:
        with pytest.raises(UserError, match=NO_NEUTRAL):
            check_needs(tasks, [wild])
        return
    check_needs(tasks, [wild])
    made = load_masks(tasks[0].artifacts["masks"], ResultsStore(tmp_path), wild.data.class_names)
    assert made.images.shape == (3, SIZE, SIZE)


def test_masks_of_another_set_need_that_sets_neutral_faces(data_root: Path, wild: PlannedData) -> None:
    source = plan_data(data_root, "synthetic", tiny_configuration(), PLAN)
    for one, other, fits in ((source, wild, True), (wild, source, False)):
        masks = source_substitute("masks", one, tiny_configuration(), Machine())
        substitutes = {"masks": masks, "stage1": NOTHING}
        tasks = final_tasks(tiny_configuration(), other, Machine(), substitutes=substitutes)
        if fits:
            check_needs(tasks, [one, other])
        else:
            with pytest.raises(UserError, match=NO_NEUTRAL):
                check_needs(tasks, [one, other])


def test_a_subject_with_two_neutral_faces_is_named(tmp_path: Path) -> None:
    usual = records(6)
    neutral = next(one for one in usual if one.subject_id == "S02" and one.role == "neutral")
    write_store(
        store_folder(tmp_path, "synthetic", SIZE),
        "synthetic",
        SIZE,
        [*usual, dataclasses.replace(neutral, frame=9)],
        lambda record: face(record.subject_id, record.expression, record.frame % 3),
        aligned=True,
    )
    planned = plan_data(tmp_path, "synthetic", tiny_configuration(), PLAN)
    assert not planned.has_neutral_faces
    with pytest.raises(UserError, match=r"the first, S02, has 2"):
        check_needs(final_tasks(tiny_configuration(), planned, Machine()), [planned])


def test_a_frozen_generator_needs_a_stage_1(data_root: Path) -> None:
    planned = plan_data(data_root, "synthetic", tiny_configuration(), PLAN)
    frozen = tiny_configuration(freeze_generator=True)
    check_needs(final_tasks(frozen, planned, Machine()), [planned])
    with pytest.raises(UserError, match="without a stage 1 here"):
        check_needs(final_tasks(frozen, planned, Machine(), substitutes=WITHOUT_STAGE_1), [planned])


def test_a_class_that_inner_training_loses_is_named(tmp_path: Path) -> None:
    """Only one training subject shows it: the validation split with that subject trains without."""
    kept = [one for one in records(12) if one.expression != "fear" or one.subject_id in ("S01", "S12")]
    write_store(
        store_folder(tmp_path, "synthetic", SIZE),
        "synthetic",
        SIZE,
        kept,
        lambda record: face(record.subject_id, record.expression, record.frame),
        aligned=True,
    )
    planned = plan_data(tmp_path, "synthetic", tiny_configuration(), PLAN, search=True)
    steps = [(fold, part) for fold in (0, 1) for part in range(5)]
    with pytest.raises(UserError, match=r"every class.*without fear"):
        check_needs(step_tasks(tiny_configuration(), planned, Machine(), steps), [planned])


@pytest.mark.parametrize("search", [False, True])
@pytest.mark.parametrize("method", ["fmpn", "cnn"])
def test_an_experiment_is_refused_before_its_baselines_train(
    data_root: Path, tmp_path: Path, search: bool, method: str
) -> None:
    baselines = ("cnn", "fmpn") if method == "cnn" else ("cnn",)
    rounds = (1, 1) if search else ()
    with pytest.raises(UserError, match=NO_NEUTRAL):
        plan_experiment(
            name="trial",
            command="",
            preset="smoke",
            dataset="synthetic_wild",
            configuration=tiny_configuration(method=method),
            plan=Plan(
                space="baseline" if method == "cnn" else "loss_weights", folds=2, rounds=rounds,
                baselines=baselines, transfer_to="none",
                selection_rule="inner" if search else "paper",
            ),
            data_root=data_root,
            runs_root=tmp_path,
            search=search,
            address=None,
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_transforms_of_squares_meet_no_rectangles(data_root: Path) -> None:
    planned = plan_data(data_root, "synthetic", tiny_configuration(), PLAN)
    tasks = final_tasks(tiny_configuration(stage2_augmentation="strong"), planned, Machine())
    check_needs(tasks, [planned])
    with pytest.raises(UserError, match="work on square faces"):
        check_needs(tasks, [dataclasses.replace(planned, has_rectangles=True)])
