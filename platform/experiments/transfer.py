"""Motion masks and mask generators carried from one data set to another: the rows of a transfer.

Masks are borrowed by class name, one set made from all of the source's labelled faces (docs/methods.md, §1,
AffectNet); a generator is pretrained on all of them. Nothing of the source is ever tested, so all its
subjects may be used.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datasets.catalogue import describe, share_people
from datasets.prepared.store import open_prepared
from platform.config.configuration import Configuration, Plan
from platform.errors import UserError
from platform.experiments.rows import Row
from platform.models import load_method
from platform.runs.fold_tasks import (
    PlannedData,
    final_tasks,
    machine_of,
    plan_data,
    source_generator,
    source_masks,
    with_method,
)

Part = Literal["masks", "generator", "both"]
PARTS: tuple[Part, ...] = ("masks", "generator", "both")


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What is carried from which data sets to which."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    part: Part = "masks"
    """`masks`: the source's motion masks; `generator`: its pretrained mask generator, with the target's own
    masks; `both`."""
    stage1: bool = False
    """With lent masks: pretrain the generator on the target's training faces (the paper does not)."""
    repeats: int = 1
    """Draws of the target's single split, where it has one."""
    common_classes: bool = False
    """Leave out faces of classes that not all sets have."""
    fold_rule: str = "auto"
    """Of the targets: `paper`, `holdout`, or `auto`: holdout for sets without neutral faces."""

    @property
    def name(self) -> str:
        """For the experiment's name: another transfer of the same sets has another one."""
        parts = ["-".join(self.sources), "to", "-".join(self.targets)]
        if self.part != "masks":
            parts.append(self.part)
        if self.stage1:
            parts.append("stage1")
        if self.common_classes:
            parts.append("common")
        if self.repeats > 1:
            parts.append(f"{self.repeats}-repeats")
        return "-".join(parts)


@dataclass(frozen=True, kw_only=True)
class TransferPlan:
    """The rows of a transfer, the data behind them, and the cells of the matrix that stay empty."""

    rows: tuple[Row, ...]
    data: tuple[PlannedData, ...]
    empty: tuple[str, ...]
    """One sentence for each cell that cannot be."""


def plan_transfer(
    transfer: Transfer, configuration: Configuration, plan: Plan, data_root: Path
) -> TransferPlan:
    """Open all sets and work out every row. UserError; writes nothing.

    Methods without masks stand once for each target; a source that is the target itself stands for the
    target's own masks, made from each fold's training subjects.
    """
    _check(transfer)
    names = tuple(dict.fromkeys((*transfer.sources, *transfer.targets)))
    classes = common_classes(names, configuration, data_root) if transfer.common_classes else None
    opened = {
        name: plan_data(data_root, name, configuration, plan, fold_rule="holdout", class_names=classes)
        for name in names
    }
    rows: list[Row] = []
    data = [opened[name] for name in transfer.sources]
    empty: list[str] = []
    for name in transfer.targets:
        for repeat in range(transfer.repeats):
            rule = _rule(transfer, opened[name])
            target = plan_data(
                data_root, name, configuration, plan, fold_rule=rule, class_names=classes, repeat=repeat
            )
            data.append(target)
            rows += _target_rows(transfer, configuration, plan, target, opened, repeat)
        if name in transfer.sources and not opened[name].has_neutral_faces:
            empty.append(f"{describe(name).title} to itself: it has no neutral faces, so no masks of its own")
    return TransferPlan(rows=tuple(rows), data=tuple(data), empty=tuple(empty))


def _check(transfer: Transfer) -> None:
    if transfer.stage1 and transfer.part != "masks":
        raise UserError(
            f"--stage1 yes pretrains a generator on the target, but --transfer {transfer.part} brings the "
            "source's; pass --transfer masks, or --stage1 no."
        )
    if transfer.repeats < 1:
        raise UserError(f"--repeats must be 1 or more, but got {transfer.repeats}.")
    for kind, names in (("source", transfer.sources), ("target", transfer.targets)):
        if not names:
            raise UserError(f"a transfer needs a {kind}; pass --{kind} with a data set's name.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(f"each {kind} stands once, but {twice[0]} is there twice; remove one.")
    for source, target in itertools.product(transfer.sources, transfer.targets):
        if source != target and share_people(source, target):
            raise UserError(
                "all people of a source lend, so none of them may be tested, but "
                f"{describe(source).title} and {describe(target).title} may show the same people; choose "
                "another --source or --target."
            )
    if set(transfer.sources) == set(transfer.targets) and len(transfer.sources) == 1:
        raise UserError(
            f"a transfer goes from one data set to another, but source and target are both "
            f"{transfer.sources[0]}; its own masks are what python -m platform.crossval uses."
        )


def common_classes(names: Sequence[str], configuration: Configuration, data_root: Path) -> tuple[str, ...]:
    """The classes that all sets have, in the first one's order. UserError for fewer than two."""
    of_set = [open_prepared(data_root, name, configuration.load_size_pixels).class_names for name in names]
    common = tuple(name for name in of_set[0] if all(name in others for others in of_set))
    if len(common) < 2:
        raise UserError(
            f"{', '.join(names)} have {len(common)} class{'es' * (len(common) != 1)} in common, but a "
            "classifier needs two or more; choose other sets."
        )
    return common


def _rule(transfer: Transfer, target: PlannedData) -> str:
    """The target's fold rule. UserError: several draws of what is not drawn."""
    rule = transfer.fold_rule
    if rule == "auto":
        rule = "paper" if target.has_neutral_faces else "holdout"
    if rule != "holdout" and transfer.repeats > 1:
        raise UserError(
            f"--repeats draws a single split again, but {target.data.dataset} is tested on the folds of rule "
            f"{rule!r}, which are not drawn; pass --fold-rule holdout, or --repeats 1."
        )
    return rule


def _target_rows(
    transfer: Transfer,
    configuration: Configuration,
    plan: Plan,
    target: PlannedData,
    opened: dict[str, PlannedData],
    repeat: int,
) -> Iterator[Row]:
    """Of one target and split: methods without masks once, then each source."""
    methods = (configuration.method, *(name for name in plan.baselines if name != configuration.method))
    lending = [name for name in methods if load_method(name).uses_masks]
    for method in methods:
        if method not in lending:
            yield row_of(with_method(configuration, method), plan, target, repeat=repeat)
    for source in transfer.sources:
        own = source == target.data.dataset
        if own and not target.has_neutral_faces:
            continue
        for method in lending:
            chosen = with_method(configuration, method)
            if own:
                yield row_of(chosen, plan, target, repeat=repeat)
            else:
                yield _lent_row(transfer, chosen, plan, opened[source], target, repeat)


def row_of(
    configuration: Configuration,
    plan: Plan,
    target: PlannedData,
    *,
    mask_control: str | None = None,
    repeat: int = 0,
) -> Row:
    """A row with nothing borrowed: masks and stage 1 of the folds' own training subjects."""
    tasks = final_tasks(configuration, target, machine_of(plan), mask_control=mask_control)
    return Row(
        configurations=(configuration,) * len(tasks),
        tasks=tuple(tasks),
        kind="crossval",
        masks=mask_control or "own",
        repeat=repeat,
    )


def _lent_row(
    transfer: Transfer,
    configuration: Configuration,
    plan: Plan,
    source: PlannedData,
    target: PlannedData,
    repeat: int,
) -> Row:
    machine, name = machine_of(plan), source.data.dataset
    masks = generator = None
    if transfer.part in ("masks", "both"):
        _check_lendable(source)
        masks = source_masks(source, target)
    elif not target.has_neutral_faces:
        raise UserError(
            f"--transfer generator uses the target's own motion masks, but "
            f"{describe(target.data.dataset).title} has no neutral faces to make them from; pass --transfer "
            "masks or both."
        )
    if transfer.part in ("generator", "both"):
        _check_lendable(source)
        generator = source_generator(source, configuration, machine)
    tasks = final_tasks(
        configuration,
        target,
        machine,
        masks=masks,
        pretrain=transfer.stage1,
        generator=generator,
    )
    return Row(
        configurations=(configuration,) * len(tasks),
        tasks=tuple(tasks),
        kind="transfer",
        masks=name if masks else "own",
        generator=name if generator else ("own" if transfer.stage1 else "none"),
        repeat=repeat,
    )


def _check_lendable(source: PlannedData) -> None:
    """UserError where the source has no neutral faces, and so no masks to pretrain on."""
    if not source.has_neutral_faces:
        raise UserError(
            f"{describe(source.data.dataset).title} has no neutral faces, so no motion masks and no "
            "pretrained generator to lend; choose another --source."
        )
