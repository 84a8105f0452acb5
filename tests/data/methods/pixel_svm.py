"""A method without a net: a linear support vector machine on small gray faces (scikit-learn)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from platform.models.fitted import Faces, Fitted
from platform.models.method import Method
from platform.models.options.configuration import Configuration
from platform.models.options.fields import check_rule
from platform.models.recipe import Recipe
from platform.models.train_view import TrainView


@dataclass(frozen=True, kw_only=True)
class PixelSvmOptions(Configuration):
    """Options of the support vector machine."""

    side_pixels: int = 8
    """Side to which faces are reduced."""
    cost: float = 1.0
    """Cost of an error (C)."""
    choose_cost: bool = False
    """Choose the cost among a tenth, once and ten times it, by splits of the training subjects."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_rule(self, "side_pixels", 2 <= self.side_pixels <= 64, "2 to 64")
        check_rule(self, "cost", 0 < self.cost < 1e6, "> 0 and < 1e6")


class PixelSvm(Method):
    """Pixels and a linear support vector machine."""

    title = "Pixels and SVM"
    probabilities = False  # a softmax of margins sums to 1, but was not trained to be right that often
    options = PixelSvmOptions
    presets: ClassVar = {
        "quick": {"load_size_pixels": 52, "side_pixels": 16},
        "smoke": {"load_size_pixels": 34},
    }
    space = "pixel_svm"

    def fit(self, train: TrainView, settings: Any, inputs: Any, tools: Any) -> Fitted:
        """Train on the pixels of the training subjects."""
        features = tools.cached(pixels_of(settings.side_pixels), train.images)
        labels = train.labels
        cost = settings.cost
        if settings.choose_cost:
            splits = list(train.parts(3, seed=settings.seed))
            cost = max(
                (cost, cost / 10, cost * 10),
                key=lambda one: sum(right(features, labels, *split, one, settings.seed) for split in splits),
            )
        machine = trained(features, labels, cost, settings.seed)
        return LinearScores(
            classes=machine.classes_,
            weights=machine.coef_,
            bias=machine.intercept_,
            side=settings.side_pixels,
            class_count=len(train.class_names),
        )

    def load(self, files: Mapping[str, bytes], settings: Any, class_names: tuple[str, ...]) -> Fitted:
        """The stored machine."""
        arrays = np.load(io.BytesIO(files["svm.npz"]), allow_pickle=False)
        facts = json.loads(files["svm.json"])
        return LinearScores(
            classes=arrays["classes"], weights=arrays["weights"], bias=arrays["bias"], **facts
        )


def trained(features: np.ndarray, labels: np.ndarray, cost: float, seed: int) -> Any:
    """A linear machine, one class against the others."""
    from sklearn.svm import LinearSVC

    return LinearSVC(C=cost, random_state=seed, dual=True, max_iter=20_000).fit(features, labels)


def right(
    features: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray, cost: float, seed: int
) -> int:
    """Correct predictions at the positions `test` of a machine that was trained at the positions `train`."""
    machine = trained(features[train], labels[train], cost, seed)
    return int((machine.predict(features[test]) == labels[test]).sum())


def pixels(face: np.ndarray, side: int) -> np.ndarray:
    """uint8 [S, S, 3] -> float64 [side * side], gray, with mean 0 and deviation 1."""
    places = np.linspace(0, len(face) - 1, side).round().astype(int)
    gray = face[places][:, places].mean(2).reshape(-1)
    return np.asarray((gray - gray.mean()) / (gray.std() + 1e-6))


def pixels_of(side: int) -> Recipe:
    """What is computed of each face once, for all folds and trials with the same side."""
    return Recipe(name="pixels", function=pixels, parameters={"side": side})


class LinearScores(Fitted):
    """A softmax over the machine's distances."""

    def __init__(
        self, *, classes: np.ndarray, weights: np.ndarray, bias: np.ndarray, side: int, class_count: int
    ) -> None:
        self._classes, self._weights, self._bias = classes, weights, bias
        self._side, self._class_count = side, class_count

    def scores(self, faces: Faces) -> np.ndarray:
        distances = faces.features(pixels_of(self._side)) @ self._weights.T + self._bias
        if len(self._classes) == 2:
            distances = np.concatenate([-distances, distances], axis=1)
        exponents = np.exp(distances - distances.max(1, keepdims=True))
        scores = np.zeros((len(faces), self._class_count))
        scores[:, self._classes] = exponents / exponents.sum(1, keepdims=True)
        return scores.astype(np.float32)

    def save(self) -> Mapping[str, bytes]:
        buffer = io.BytesIO()
        np.savez(buffer, classes=self._classes, weights=self._weights, bias=self._bias)
        facts = {"side": self._side, "class_count": self._class_count}
        return {"svm.npz": buffer.getvalue(), "svm.json": json.dumps(facts).encode()}


def suggest(trial: Any) -> dict[str, Any]:
    """The cost on a log scale."""
    return {"cost": trial.suggest_float("cost", 1e-3, 1e2, log=True)}


def first(base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The preset's cost."""
    return [{"cost": base["cost"]}]
