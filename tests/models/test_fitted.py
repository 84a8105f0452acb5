"""Trained methods: scores of faces alone, saved without pickle and loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from datasets.folds.view import FoldView
from platform.config.configuration import configuration_of, to_dict
from platform.models import load_method, own_method_names, plugins
from platform.models.fitted import Evaluated, Faces, Fitted, Measured, check_scores
from platform.models.plugins import read_plugin, register
from platform.models.train_view import TrainView
from platform.training.tools import RunTools
from tests.fmpn_stages import run_stage1, run_stage2
from tests.tiny_faces import tiny_configuration, tiny_settings, tiny_store

METHODS = Path(__file__).parent.parent / "data" / "methods"
OWN = [str(METHODS / f"{name}.py") for name in ("pixel_svm", "two_players", "tiny_net")]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})


def method_called(name: str) -> Any:
    return register(read_plugin(name)) if name.endswith(".py") else load_method(name)


def view_of() -> FoldView:
    return FoldView(tiny_store(5), train_subjects=["S01", "S02", "S03", "S04"],
                    evaluation_subjects=["S05"], role="final")  # fmt: skip


def settings_of(method: Any) -> Any:
    values = {**method.presets["smoke"], **tiny_settings()}
    names = to_dict(configuration_of(method.name, load_size_pixels=34, **small(method)))
    return method.settings({**names, **{name: values[name] for name in values if name in names}})


def small(method: Any) -> dict[str, Any]:
    return {"image_size_pixels": 32} if "image_size_pixels" in method.options.__dataclass_fields__ else {}


def fitted(method: Any, settings: Any, view: FoldView) -> Fitted:
    tools = RunTools(view=view, settings=settings, device=torch.device("cpu"), report=lambda values: None)
    made: Fitted = method.fit(TrainView(view), settings, {}, tools)
    return made


@pytest.mark.parametrize("name", [*OWN, "cnn", "cnn_no_mask_loss", "preactresnet18"])
def test_a_trained_method_is_saved_without_pickle_and_scores_the_same_when_loaded(name: str) -> None:
    method, view = method_called(name), view_of()
    settings = settings_of(method)
    made = fitted(method, settings, view)
    view.finish_training()
    faces = Faces(images=view.read(view.evaluation_rows))
    scores = check_scores(made.scores(faces), len(faces), len(view.class_names), method.title)
    files = made.save()
    assert not any(b"pickle" in content or name.endswith((".pkl", ".pt")) for name, content in files.items())
    again = method.load(files, settings, view.class_names)
    assert np.array_equal(again.scores(faces), scores)
    some = Faces(images=faces.images[2:3])
    np.testing.assert_allclose(again.scores(some), scores[2:3], atol=1e-6)


def test_fmpn_scores_the_same_when_loaded_without_its_artifacts() -> None:
    view, configuration = view_of(), tiny_configuration(load_size_pixels=34, freeze_generator=True)
    outcome = run_stage2(view, configuration, run_stage1(view, configuration).generator_state)
    method = load_method("fmpn")
    again = method.load(outcome.fitted.save(), method.settings(to_dict(configuration)), view.class_names)
    faces = Faces(images=view.read(view.evaluation_rows))
    assert np.array_equal(again.scores(faces), outcome.scores)


def test_every_method_of_this_repository_is_tried() -> None:
    assert set(own_method_names()) == {"cnn", "cnn_no_mask_loss", "fmpn", "preactresnet18"}


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.zeros((2, 2), dtype=np.float32), r"of shape \(2, 3\), but got \(2, 2\)"),
        (None, r"of shape \(2, 3\), but got NoneType"),
        (np.full((2, 3), 1 / 3), "float32, but got float64"),
        (np.full((2, 3), np.nan, dtype=np.float32), "finite and not negative"),
        (np.full((2, 3), 0.5, dtype=np.float32), "probabilities, but a row sums to 1.500"),
    ],
)
def test_wrong_scores_are_refused(scores: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"the scores of Mine must be .*{message}"):
        check_scores(scores, 2, 3, "Mine")


def test_no_pictures_and_no_facts_unless_a_method_has_them() -> None:
    class Plain(Fitted):
        def scores(self, faces: Faces) -> np.ndarray:
            return np.ones((len(faces), 1), dtype=np.float32)

        def save(self) -> dict[str, bytes]:
            return {}

    evaluated = Evaluated(
        faces=Faces(images=np.zeros((1, 2, 2, 3), dtype=np.uint8)), labels=np.zeros(1, dtype=np.int64),
        class_names=("anger",), training_counts=np.ones(1, dtype=np.int64),
    )  # fmt: skip
    assert Plain().pictures(evaluated) == Plain().diagnostics(evaluated) == {}


GOOD = {"distance": np.zeros(2)}


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("predictions", GOOD, "named by an identifier other than 'predictions'"),
        ("a/b", GOOD, "named by an identifier"),
        ("fact", {}, "one column or more"),
        ("fact", {"distance": np.zeros(3)}, r"float64 of shape \(2,\), but 'distance'"),
        ("fact", {"distance": np.zeros(2, dtype=np.float32)}, "float64"),
        ("fact", {"distance": [0.0, 0.0]}, "float64"),
        ("fact", {"distance": np.array([0.0, np.nan])}, "finite"),
    ],
)
def test_numbers_of_faces_that_cannot_be_stored_are_refused(name: str, values: Any, message: str) -> None:
    Measured(fact=1, values=GOOD).check("fact", 2, "Mine")
    with pytest.raises(ValueError, match=message):
        Measured(fact=1, values=values).check(name, 2, "Mine")
