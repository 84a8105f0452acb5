"""Objectives of a search, and the Pareto front of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from platform.errors import UserError, unknown_name


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One number by which trials are compared."""

    title: str
    direction: Literal["maximize", "minimize"]

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.direction == "maximize" else -1


OBJECTIVES: Mapping[str, Objective] = {
    "accuracy": Objective(title="accuracy, mean of folds", direction="maximize"),
    "macro_f1": Objective(title="macro F1 of the pooled predictions", direction="maximize"),
    "latency": Objective(title="milliseconds per image", direction="minimize"),
    "parameters": Objective(title="parameters", direction="minimize"),
}
"""Name to objective. `latency` is measured where fold runs compute (platform/runs/model_measures.py)."""


def check_objectives(names: Sequence[str]) -> None:
    """UserError: an unknown objective, a duplicate, or an objective other than accuracy in first place."""
    for name in names:
        if name not in OBJECTIVES:
            raise unknown_name("objective", name, OBJECTIVES)
    if len(set(names)) != len(names):
        raise UserError(f"each objective may be listed once, but got {','.join(names)}; drop the duplicate.")
    if not names or names[0] != "accuracy":
        raise UserError(
            f"the first objective must be accuracy, by which the final configuration is chosen from the "
            f"Pareto front, but got {','.join(names) or 'none'}; pass for example "
            f"--objectives accuracy,latency."
        )


def directions(names: Sequence[str]) -> tuple[Literal["maximize", "minimize"], ...]:
    """Optuna's directions of these objectives, in their order."""
    return tuple(OBJECTIVES[name].direction for name in names)


def pareto_front(values: Mapping[int, Sequence[float]], names: Sequence[str]) -> list[int]:
    """The trials that no other trial dominates: none is as good in every objective and better in one.

    `values`: trial number to its values in the order of `names`. Sorted by the first objective, best
    first; ties by trial number.
    """
    signs = [OBJECTIVES[name].sign for name in names]
    gains = {
        number: tuple(sign * value for sign, value in zip(signs, row, strict=True))
        for number, row in values.items()
    }
    front = [
        number for number, row in gains.items() if not any(_beats(other, row) for other in gains.values())
    ]
    return sorted(front, key=lambda number: (-gains[number][0], number))


def _beats(other: Sequence[float], row: Sequence[float]) -> bool:
    return other != row and all(a >= b for a, b in zip(other, row, strict=True))
