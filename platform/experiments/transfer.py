"""Rows of a transfer: motion masks or a mask generator of a source data set, used on a target.

One mask set is made from all of the source's labelled faces and matched by class name (docs/methods.md,
§1); a generator is pretrained on all of them. No face of the source is ever tested, so all its
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
from platform.config.presets import with_method
from platform.errors import UserError
from platform.experiments.mask_substitutes import transferred
from platform.experiments.rows import PlannedRows, Row, row_of
from platform.models import load_method
from platform.runs.fold_tasks import PlannedData, plan_data

Part = Literal["masks", "generator", "both"]
PARTS: tuple[Part, ...] = ("masks", "generator", "both")


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Sources and targets, and what is transferred."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    part: Part = "masks"
    """`masks`: the source's motion masks; `generator`: its pretrained mask generator, with the target's own
    masks; `both`."""
    stage1: bool = False
    """With transferred masks: pretrain the generator on the target's training faces (the paper does not)."""
    repeats: int = 1
    """Draws of the target's single split, if its fold rule is `holdout`."""
    common_classes: bool = False
    """Leave out faces of classes that not all sets have."""
    fold_rule: str = "auto"
    """Of the targets: `paper`, `holdout`, or `auto`: holdout for sets without neutral faces."""

    @property
    def name(self) -> str:
        """Part of the experiment's name; other transfers of the same sets have other names."""
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


def plan_transfer(
    transfer: Transfer, configuration: Configuration, plan: Plan, data_root: Path
) -> PlannedRows:
    """Open all sets and plan every row. Raises UserError; writes nothing.

    A method without masks has one row for each target. If a source is the target itself, the row uses the
    target's own masks, made from each fold's training subjects.
    """
    _check(transfer)
    _check_methods(configuration, plan)
    names = tuple(dict.fromkeys((*transfer.sources, *transfer.targets)))
    classes = common_classes(names, configuration, data_root) if transfer.common_classes else None
    opened = {
        name: plan_data(data_root, name, configuration, plan, fold_rule="holdout", class_names=classes)
        for name in names
    }
    rows: list[Row] = []
    data = [opened[name] for name in transfer.sources]
    remarks: list[str] = []
    for name in transfer.targets:
        for repeat in range(transfer.repeats):
            rule = _rule(transfer, opened[name])
            target = plan_data(
                data_root, name, configuration, plan, fold_rule=rule, class_names=classes, repeat=repeat
            )
            data.append(target)
            rows += _target_rows(transfer, configuration, plan, target, opened, repeat)
        if name in transfer.sources and not opened[name].has_neutral_faces:
            remarks.append(
                f"empty cell: {describe(name).title} to itself; it has no neutral faces to make masks from"
            )
    return PlannedRows(rows=tuple(rows), data=tuple(data), remarks=tuple(remarks))


def _check(transfer: Transfer) -> None:
    if transfer.stage1 and transfer.part != "masks":
        raise UserError(
            f"--stage1 yes pretrains a generator on the target, but --transfer {transfer.part} uses the "
            "source's; pass --transfer masks, or --stage1 no."
        )
    if transfer.repeats < 1:
        raise UserError(f"--repeats must be 1 or more, but got {transfer.repeats}.")
    for kind, names in (("source", transfer.sources), ("target", transfer.targets)):
        if not names:
            raise UserError(f"a transfer needs a {kind}; pass --{kind} with a data set's name.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(f"duplicate {kind} {twice[0]}; list each {kind} once.")
    for source, target in itertools.product(transfer.sources, transfer.targets):
        if source != target and share_people(source, target):
            raise UserError(
                "a source's masks show all of its people, so none of them may be tested, but "
                f"{describe(source).title} and {describe(target).title} may show the same people; choose "
                "another --source or --target."
            )
    if set(transfer.sources) == set(transfer.targets) and len(transfer.sources) == 1:
        raise UserError(
            f"a transfer goes from one data set to another, but source and target are both "
            f"{transfer.sources[0]}; run python -m platform.crossval, which uses a set's own masks."
        )


def _check_methods(configuration: Configuration, plan: Plan) -> None:
    """UserError: none of the methods uses what is transferred."""
    methods = (configuration.method, *(name for name in plan.baselines if name != configuration.method))
    if not any(uses_masks(with_method(configuration, name, plan)) for name in methods):
        raise UserError(
            f"a transfer puts motion masks or a mask generator of a source in place of the target's, but "
            f"{', '.join(methods)} use{'s' * (len(methods) == 1)} neither; run python -m platform.crossval "
            "on the target, or add fmpn to --baselines."
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
    """The target's fold rule. UserError: repeats of folds that are not random."""
    rule = transfer.fold_rule
    if rule == "auto":
        rule = "paper" if target.has_neutral_faces else "holdout"
    if rule != "holdout" and transfer.repeats > 1:
        raise UserError(
            f"--repeats draws a single split several times, but {target.data.dataset} has folds of the rule "
            f"{rule!r}, which are not random; pass --fold-rule holdout, or --repeats 1."
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
    """Rows of one target and split: methods without masks once, then each source."""
    methods = (configuration.method, *(name for name in plan.baselines if name != configuration.method))
    masked = [name for name in methods if uses_masks(with_method(configuration, name, plan))]
    for method in methods:
        if method not in masked:
            yield row_of(with_method(configuration, method, plan), target, plan, repeat=repeat)
    for source in transfer.sources:
        own = source == target.data.dataset
        if own and not target.has_neutral_faces:
            continue
        for method in masked:
            chosen = with_method(configuration, method, plan)
            if own:
                yield row_of(chosen, target, plan, repeat=repeat)
            else:
                yield _transferred(transfer, chosen, plan, opened[source], target, repeat)


def _transferred(
    transfer: Transfer,
    configuration: Configuration,
    plan: Plan,
    source: PlannedData,
    target: PlannedData,
    repeat: int,
) -> Row:
    _check_source(source)
    if transfer.part == "generator" and not target.has_neutral_faces:
        raise UserError(
            f"--transfer generator uses the target's own motion masks, but "
            f"{describe(target.data.dataset).title} has no neutral faces to make them from; pass --transfer "
            "masks or both."
        )
    substitutes = transferred(
        configuration,
        plan,
        masks_from=source if transfer.part in ("masks", "both") else None,
        generator_from=source if transfer.part in ("generator", "both") else None,
        pretrain=transfer.stage1,
    )
    return row_of(configuration, target, plan, kind="transfer", substitutes=substitutes, repeat=repeat)


def uses_masks(configuration: Configuration) -> bool:
    """Whether the configuration's method uses motion masks."""
    return "masks" in load_method(configuration.method).artifacts(configuration)


def _check_source(source: PlannedData) -> None:
    """UserError if the source has no neutral faces, and therefore no masks to pretrain on."""
    if not source.has_neutral_faces:
        raise UserError(
            f"{describe(source.data.dataset).title} has no neutral faces, so it has no motion "
            "masks and no pretrained generator to transfer; choose another --source."
        )
