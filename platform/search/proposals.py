"""Proposals of a search: a pure function of space, study seed, trial number and earlier results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from platform.search.parameters import Suggest
from platform.search.samplers import grid_of, make_sampler

Direction = Literal["maximize", "minimize"]
REMEMBERING = ("tpe", "random")
"""Samplers that ignore failed trials, so that their in-memory study can be reused for the next proposal."""


class Proposer:
    """Proposes the configuration of a trial from the finished trials of earlier generations.

    The only state between proposals is a cache, so two processes propose the same.
    """

    def __init__(
        self,
        suggest: Suggest,
        *,
        sampler: str,
        study_seed: int,
        first: Sequence[Mapping[str, Any]] = (),
        directions: Sequence[Direction] = ("maximize",),
        study: str = "",
    ) -> None:
        """`first`: configurations that are tried without being proposed; `study`: the suffix of one of
        several studies of a search. UserError: `grid` on a space with numeric parameters.
        """
        self._suggest = suggest
        self._sampler = sampler
        self._study_seed = study_seed
        self._study = study
        self._first_count = len(first)
        self._directions = list(directions)
        self._grid: list[dict[str, Any]] = []
        if sampler == "grid":
            self._grid = grid_of(suggest, first, study_seed=study_seed)
        self._states: dict[int, dict[str, Any]] = {}
        self._kept: tuple[optuna.Study, list[tuple[int, TrialState, tuple[float, ...]]]] | None = None
        """The last in-memory study, and number, state and values of each trial in it."""

    @property
    def most_trials(self) -> int | None:
        """Number of distinct proposals; None if unlimited."""
        return len(self._grid) if self._sampler == "grid" else None

    def propose(
        self,
        number: int,
        earlier: Sequence[FrozenTrial],
        *,
        generation_size: int,
        siblings: Sequence[FrozenTrial] = (),
    ) -> dict[str, Any]:
        """Parameter values of trial `number`.

        `earlier`: finished trials of earlier generations; `siblings`: trials of its own generation with lower
        numbers, of which only the parameters are read.
        """
        if self._sampler == "cmaes":
            self._replay(earlier, generation_size)
        if self._sampler == "gp":
            # The acquisition function has one maximum: without its siblings every trial would be the same.
            earlier = [*earlier, *(_running(trial) for trial in siblings if trial.params)]
        return dict(self._ask(number, earlier).params)

    def _ask(self, number: int, earlier: Sequence[FrozenTrial]) -> FrozenTrial:
        sampler = make_sampler(
            self._sampler,
            study_seed=self._study_seed,
            number=number,
            study=self._study,
            grid=self._grid,
        )
        study = self._study_of(earlier)
        study.sampler = sampler
        with _one_thread() if self._sampler == "gp" else nullcontext():
            trial = study.ask()
            self._suggest(trial)
        asked = study.get_trials(deepcopy=False)[trial.number]
        if self._kept is not None:
            # These samplers read complete and pruned trials only.
            study.tell(trial, state=TrialState.FAIL)
        return asked

    def _study_of(self, earlier: Sequence[FrozenTrial]) -> optuna.Study:
        """An in-memory study with exactly these trials; those of the previous one are not copied again."""
        held = [(trial.number, trial.state, tuple(trial.values or ())) for trial in earlier]
        added = 0
        if self._kept is not None and held[: len(self._kept[1])] == self._kept[1]:
            study, added = self._kept[0], len(self._kept[1])
        else:
            study = optuna.create_study(directions=self._directions)
        study.add_trials([self._with_state(trial) for trial in earlier[added:]])
        self._kept = (study, held) if self._sampler in REMEMBERING else None
        return study

    def _replay(self, earlier: Sequence[FrozenTrial], generation_size: int) -> None:
        """Restore the state that CMA-ES attached to each earlier trial when it proposed it.

        Optuna's CMA-ES stores its distribution as a pickle in its trials. This study stores values only and
        replays earlier proposals instead, so that no pickle is ever read from a study's storage.
        """
        for trial in earlier:
            number = trial.number
            if number in self._states or number < self._first_count:
                continue
            start = number - number % generation_size
            asked = self._ask(number, [other for other in earlier if other.number < start])
            self._states[number] = dict(asked.system_attrs)

    def _with_state(self, trial: FrozenTrial) -> FrozenTrial:
        if trial.number not in self._states:
            return trial
        return optuna.trial.create_trial(
            state=trial.state,
            values=trial.values,
            params=trial.params,
            distributions=trial.distributions,
            intermediate_values=trial.intermediate_values,
            system_attrs=self._states[trial.number],
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Context with one torch thread: faster on small matrices, and the thread count changes last bits."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _running(trial: FrozenTrial) -> FrozenTrial:
    return optuna.trial.create_trial(
        state=TrialState.RUNNING, params=trial.params, distributions=trial.distributions
    )
