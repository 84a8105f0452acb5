"""Rows with several training seeds: each is planned once for every seed, and a row has one seed.

The rows of the first seed are exactly those of an experiment with that seed alone, so that their fold runs
are found again. Those of the next seeds follow in the same order.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from platform.config.configuration import Configuration, Plan, plan_with, replace
from platform.experiments.rows import Chosen, Effect, PlannedRows, Row, RowsPlanner
from platform.files.json_files import parse_own_json


def over_seeds(
    planner: RowsPlanner,
    configuration: Configuration,
    plan: Plan,
    data_root: Path,
    offsets: Sequence[int] | None = None,
) -> PlannedRows:
    """What `planner` plans, with every seed: all rows of the first seed, then those of the next.

    offsets: distances of the seeds from the configuration's; None: those of `plan.seeds` consecutive seeds.
    An ablation is there once for every seed, under the same name. UserError as the planner.
    """
    made = [
        planner(*with_seed(configuration, plan, offset), data_root)
        for offset in (range(plan.seeds) if offsets is None else offsets)
    ]
    rows: list[Row] = []
    effects: list[Effect] = []
    for of_seed in made:
        effects += [
            dataclasses.replace(one, with_it=one.with_it + len(rows), without=one.without + len(rows))
            for one in of_seed.effects
        ]
        rows += of_seed.rows
    return PlannedRows(
        rows=tuple(rows),
        data=made[0].data,
        effects=tuple(effects),
        remarks=tuple(dict.fromkeys(remark for of_seed in made for remark in of_seed.remarks)),
    )


def with_seed(configuration: Configuration, plan: Plan, offset: int) -> tuple[Configuration, Plan]:
    """The settings of the seed at that distance; a seed that `plan.methods` gives a baseline moves along."""
    if not offset:
        return configuration, plan
    given: dict[str, dict[str, Any]] = {}
    if plan.methods:
        given = parse_own_json(plan.methods.encode(), "the field methods")
    if any("seed" in options for options in given.values()):
        moved = {
            method: {name: value + offset if name == "seed" else value for name, value in options.items()}
            for method, options in given.items()
        }
        plan = plan_with(plan, methods=json.dumps(moved, sort_keys=True))
    return replace(configuration, seed=configuration.seed + offset), plan


def chosen_with_seed(chosen: Chosen, offset: int) -> Chosen:
    """The same choice with the seed at that distance. It has no score: the search ran with its own seed."""
    if not offset:
        return chosen
    return dataclasses.replace(
        chosen,
        configurations=tuple(replace(one, seed=one.seed + offset) for one in chosen.configurations),
        score=None,
    )
