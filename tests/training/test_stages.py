from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from datasets.folds.rules import count_classes, inner_parts, paper_folds
from datasets.folds.view import FoldView
from datasets.masks.motion_masks import MaskSet, build_masks
from platform.config.configuration import Configuration
from platform.errors import LeakageError
from platform.models.items import Items, TupleItems, Tuples
from platform.models.method import Settings
from platform.models.options.faces import Faces as FaceOptions
from platform.models.options.optimisation import AdamMoments
from platform.models.player import Player
from platform.models.shared_stage import SharedStage
from platform.models.train_view import TrainView
from platform.training.tools import RunTools
from tests.fmpn_stages import Stage1Outcome, run_stage1, run_stage2
from tests.tiny_faces import CLASSES, TinyStore, subject_names, tiny_configuration, tiny_store

TRAIN, TEST = ("S01", "S02", "S03"), ("S04",)


def view_of(
    role: Any = "final",
    store: TinyStore | None = None,
    train: Sequence[str] = TRAIN,
    evaluation: Sequence[str] = TEST,
) -> FoldView:
    store = tiny_store(4) if store is None else store
    return FoldView(store, train_subjects=train, evaluation_subjects=evaluation, role=role)


def stage1(view: FoldView, configuration: Configuration, masks: MaskSet | None = None) -> Stage1Outcome:
    return run_stage1(view, configuration, masks)


def stage2(
    view: FoldView,
    configuration: Configuration,
    generator_state: dict[str, torch.Tensor] | None = None,
    report: Any = lambda values: None,
) -> Any:
    return run_stage2(view, configuration, generator_state, report=report)


def same_state(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_stage_1_learns_the_masks() -> None:
    configuration = tiny_configuration(
        generator_width=4, stage1_constant_epochs=8, stage1_decay_epochs=2, stage1_learning_rate=1e-2
    )
    losses = [epoch["loss"] for epoch in stage1(view_of(), configuration).curve]
    assert len(losses) == 10
    assert losses[-1] < 0.8 * losses[0]


def test_the_same_seed_gives_the_same_generator_and_another_seed_another_one() -> None:
    first, same, other = (stage1(view_of(), tiny_configuration(seed=seed)) for seed in (0, 0, 1))
    assert same_state(first.generator_state, same.generator_state)
    assert not same_state(first.generator_state, other.generator_state)


def test_stage_1_reads_no_row_of_another_subject() -> None:
    store = tiny_store(4)
    store.images[np.isin(store.subjects, TEST)] = 255
    outcomes = [stage1(view_of(store=s), tiny_configuration()) for s in (tiny_store(4), store)]
    assert same_state(outcomes[0].generator_state, outcomes[1].generator_state)


@pytest.mark.parametrize("method", ["fmpn", "cnn", "cnn_no_mask_loss"])
def test_a_fold_run_scores_its_evaluation_faces_and_is_a_function_of_its_seed(method: str) -> None:
    reports: list[dict[str, Any]] = []
    configuration = tiny_configuration(method=method)
    outcome = stage2(view_of(), configuration, report=reports.append)
    rows = view_of("inner").evaluation_rows
    assert outcome.scored.rows.tolist() == rows.tolist()
    assert outcome.class_names == CLASSES
    assert outcome.scores.shape == (len(rows), 3)
    assert outcome.scores.dtype == np.float32
    np.testing.assert_allclose(outcome.scores.sum(1), 1, rtol=1e-5)
    assert [epoch["epoch"] for epoch in outcome.curve] == [1, 2]
    assert [report["stage"] for report in reports] == ["stage2"] * 2
    assert {"loss", "training_accuracy", "learning_rate", "images_per_second"} <= set(outcome.curve[0])
    again, other = (stage2(view_of(), tiny_configuration(method=method, seed=seed)) for seed in (0, 1))
    assert np.array_equal(outcome.scores, again.scores)
    assert same_state(outcome.state, again.state)
    assert not np.array_equal(outcome.scores, other.scores)


def test_pictures_are_of_evaluated_faces_and_the_baseline_has_none() -> None:
    pictures = stage2(view_of(), tiny_configuration()).pictures
    assert set(pictures) == {"face", "predicted mask", "fused", "target mask"}
    assert pictures["face"].shape == (6, 3, 32, 32)  # the test subject's six faces; at most eight are shown
    assert all(0 <= values.min() <= values.max() <= 1 for values in pictures.values())
    assert stage2(view_of(), tiny_configuration(method="cnn")).pictures == {}


def test_stage_2_starts_from_the_generator_of_stage_1() -> None:
    """With no rate of its own and no mask in the loss, the generator leaves stage 2 as it came."""
    configuration = tiny_configuration(generator_learning_rate=0.0, lambda_mask=0.0)
    state = stage1(view_of(), configuration).generator_state
    outcome = stage2(view_of(), configuration, state)
    fixed = [name for name in state if "running" not in name and "tracked" not in name]
    assert fixed
    assert all(torch.equal(outcome.state[f"mask_generator.{name}"], state[name]) for name in fixed)


def test_a_state_that_does_not_fit_is_refused() -> None:
    state = stage1(view_of(), tiny_configuration(generator_width=3)).generator_state
    with pytest.raises(RuntimeError, match="size mismatch"):
        stage2(view_of(), tiny_configuration(), state)


def test_masks_in_another_order_of_classes_are_matched_by_name() -> None:
    masks = build_masks(view_of())
    turned = MaskSet(class_names=masks.class_names[::-1], images=masks.images[::-1])
    states = [stage1(view_of(), tiny_configuration(), one).generator_state for one in (masks, turned)]
    assert same_state(*states)


def test_the_test_rows_are_out_of_reach_until_training_has_finished() -> None:
    view = view_of("final")
    with pytest.raises(LeakageError):
        _ = view.evaluation_rows
    stage1(view, tiny_configuration())
    with pytest.raises(LeakageError):  # stage 1 does not open them either
        view.read(np.flatnonzero(tiny_store(4).subjects == "S04"))
    stage2(view, tiny_configuration(method="cnn"))
    assert len(view.evaluation_rows) == 6


@pytest.mark.parametrize("method", ["fmpn", "cnn"])
def test_training_that_reads_a_test_row_is_stopped(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tiny_store(4)
    monkeypatch.setattr(
        FoldView, "training_rows", property(lambda self: np.flatnonzero(store.roles == "expressive"))
    )
    with pytest.raises(LeakageError, match="S04"):
        stage2(view_of("final", store), tiny_configuration(method=method))


def test_poisoned_test_subjects_leave_every_inner_run_of_their_fold_bit_identical() -> None:
    """docs/architecture.md: nothing of fold f's test subjects reaches its inner masks, stage 1 or scores."""
    clean, poisoned = tiny_store(10, frames=1), tiny_store(10, frames=1)
    fold = paper_folds(subject_names(10), 2).folds[0]
    tested = np.isin(clean.subjects, fold.test_subjects)
    assert tested.sum() == 20
    poisoned.images[tested] = 255 - poisoned.images[tested]
    expressive = clean.roles == "expressive"
    classes = count_classes(clean.subjects[expressive], clean.expressions[expressive])
    validation = inner_parts(fold.train_subjects, classes, seed=0)[0]
    train = [subject for subject in fold.train_subjects if subject not in validation]
    configuration = tiny_configuration()
    results = []
    for store in (clean, poisoned):
        view = view_of("inner", store, train, validation)
        pretrained = stage1(view, configuration).generator_state
        results.append((build_masks(view).images, pretrained, stage2(view, configuration, pretrained)))
    (masks, generator, outcome), (masks_2, generator_2, outcome_2) = results
    assert np.array_equal(masks, masks_2)
    assert same_state(generator, generator_2)
    assert np.array_equal(outcome.scores, outcome_2.scores)
    assert same_state(outcome.state, outcome_2.state)
    # The poison is strong enough to be seen where it may be: the final run's scores of those subjects.
    final = [
        stage2(view_of("final", store, train, fold.test_subjects), configuration).scores
        for store in (clean, poisoned)
    ]
    assert not np.array_equal(final[0], final[1])


def test_a_last_batch_of_one_face_trains_where_batch_norm_would_refuse_it() -> None:
    """18 training faces in batches of 17 leave one; ResNet's last map is one pixel at 32 px."""
    outcome = stage2(view_of(), tiny_configuration(method="cnn", stage2_batch_size=17))
    assert np.isfinite(outcome.scores).all()


@dataclass(frozen=True, kw_only=True)
class PairOptions(FaceOptions, AdamMoments):
    """Options of the stage below."""

    pair_epochs: int = 2
    pair_decay_epochs: int = 1
    pair_batch_size: int = 4


class PairStage(SharedStage):
    """Two players on pairs of faces of one subject: one embeds, one tells from the pair whether it is one
    class."""

    name, title = "pairs", "pairs"
    groups = (PairOptions, FaceOptions, AdamMoments, Configuration)
    epoch_fields = ("pair_epochs", "pair_decay_epochs")
    batch_field = "pair_batch_size"

    def __init__(self) -> None:
        self.seen: list[Tuples] = []

    def build(self, settings: Any, class_count: int) -> torch.nn.Module:
        return torch.nn.ModuleDict({"embed": torch.nn.Linear(3, 2), "tell": torch.nn.Linear(2, 1)})

    def parameter_groups(self, module: torch.nn.Module, settings: Any) -> list[dict[str, Any]]:
        return [{"params": list(module.get_submodule("embed").parameters()), "lr": 1e-2}]

    def loss(self, module: torch.nn.Module, batch: Tuples, settings: Any) -> dict[str, torch.Tensor]:
        self.seen.append(batch)
        first, second = self.embedded(module, batch).unbind(1)
        return {"loss": (first - second).square().mean()}

    def embedded(self, module: torch.nn.Module, batch: Tuples) -> torch.Tensor:
        features = module.get_submodule("embed")(batch.single.image.mean((2, 3)))
        return features.unflatten(0, (-1, batch.size))

    def tell(self, module: torch.nn.Module, batch: Tuples) -> dict[str, torch.Tensor]:
        first, second = self.embedded(module, batch).detach().unbind(1)
        same = batch.single.labels.unflatten(0, (-1, 2)).float().diff(dim=1) == 0
        logits = module.get_submodule("tell")((first - second).abs())
        return {"loss": torch.nn.functional.binary_cross_entropy_with_logits(logits, same.float())}

    def players(self, module: torch.nn.Module, settings: Any) -> list[Player]:
        (first,) = super().players(module, settings)
        groups = [{"params": list(module.get_submodule("tell").parameters()), "lr": 1e-2}]
        return [dataclasses.replace(first, name="embed"), Player(groups=groups, loss=self.tell, name="tell")]

    def items(self, single: Items, train: TrainView, settings: Any, inputs: Any) -> Items:
        return SubjectPairs(single, train.subjects)


class SubjectPairs(TupleItems):
    """Pairs of neighbouring faces of one subject."""

    def __init__(self, single: Items, subjects: np.ndarray) -> None:
        super().__init__(single)
        self.first = torch.from_numpy(np.flatnonzero(subjects[1:] == subjects[:-1]))

    def epoch(self, random: torch.Generator) -> torch.Tensor:
        first = self.first[torch.randperm(len(self.first), generator=random)]
        return torch.stack([first, first + 1], dim=1)


def test_a_shared_stage_trains_several_players_on_pairs() -> None:
    stage, view = PairStage(), view_of()
    values = dataclasses.asdict(PairOptions(method="mine", load_size_pixels=34, image_size_pixels=16))
    settings = Settings(values, stage.option_names(PairOptions))
    tools = RunTools(view=view, settings=settings, device=torch.device("cpu"), report=lambda values: None)
    content = stage.make(view, settings, {}, tools)
    curve = tools.curves["pairs"]
    assert len(curve) == 3
    assert {"embed_loss", "tell_loss"} <= set(curve[0])
    assert set(stage.state_of(content)) == {"embed.weight", "embed.bias", "tell.weight", "tell.bias"}
    subjects = view.subjects(view.training_rows)
    pairs = sum(count - 1 for count in Counter(subjects.tolist()).values())
    assert sum(map(len, stage.seen)) == 3 * pairs
    for batch in stage.seen:
        assert batch.single.image.shape[1:] == (3, 16, 16)
        assert len(batch) <= 4
