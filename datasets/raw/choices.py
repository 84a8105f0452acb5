"""Choices of the user about reading a raw data set, and the handling of unusable items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from datasets.raw.image_key import ImageKey
from platform.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Frames to take, beyond the data set's own rule. No adapter ignores a choice silently: it raises
    UserError for one that does not apply to it (`refuse`)."""

    frames: frozenset[ImageKey] | None = None
    """Exactly these expressive frames (released lists) instead of the rule's; all must exist."""
    whole_sequences: bool = False
    """Also take every other frame of the labelled sequences, with role `context`, for sequence methods."""
    per_class: int | None = None
    """Number of images drawn at random from each class, for in-the-wild sets; None: all."""
    draw_seed: int = 0
    """Seed of that draw."""
    renamed: tuple[tuple[str, str], ...] = ()
    """For the user's own folder: names of folders or in its table, in lower case, and the class that each
    stands for; sorted."""
    own_classes: bool = False
    """For the user's own folder: classes are what its folders or its table name, not the field's names."""

    def refuse(self, dataset: str, *names: str) -> None:
        """Raises UserError if one of the fields `names`, which do not apply to `dataset`, was set."""
        flags = {
            "frames": "--frames", "whole_sequences": "--whole-sequences",
            "per_class": "--per-class", "draw_seed": "--draw-seed",
            "renamed": "--map", "own_classes": "--classes-from-folders",
        }  # fmt: skip
        plain = Choices()
        for name in names:
            if getattr(self, name) != getattr(plain, name):
                raise UserError(f"{flags[name]} has no meaning for {dataset}; leave it out.")

    def as_record(self) -> dict[str, object]:
        """The choices in a manifest, as JSON values; those that came later only where they were made."""
        record: dict[str, object] = {"frames": None if self.frames is None else sorted(self.frames)}
        record |= {name: getattr(self, name) for name in ("whole_sequences", "per_class", "draw_seed")}
        if self.renamed:
            record["renamed"] = [list(pair) for pair in self.renamed]
        return record | ({"own_classes": True} if self.own_classes else {})


ALL_BY_THE_RULE = Choices()
"""The data set's own rule and nothing else."""


@dataclass(kw_only=True)
class BadItems:
    """The policy for items that cannot be used: stop at the first one, or leave them out and record them.

    Reasons are stored in the manifest of a prepared set and so count in its hash. Rewording a message that is
    raised under `guard` changes the hash of sets prepared with `--skip-bad`.
    """

    skip: bool = False
    """False (`--strict`, the default): the first bad item stops the run."""
    root: Path | None = None
    """The data set's folder, absolute. It is removed from the reasons, because the bytes of a prepared set
    must not depend on the place of the raw one."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """(item, reason) of everything left out, in order."""
    beside: list[str] = field(default_factory=list)
    """Files and folders in the data set's folder that are not part of it, relative to `root`."""

    @contextmanager
    def guard(self, item: str) -> Iterator[None]:
        """Context that handles `item` alone: a UserError raised in it marks the item as bad."""
        try:
            yield
        except UserError as error:
            if not self.skip:
                raise
            self.leave_out(item, str(error))

    def leave_out_all(self, items: Sequence[tuple[str, str]], error: str) -> None:
        """Raises UserError with `error` and the flag that skips, or leaves out all `items` with their
        reasons."""
        if not self.skip:
            raise UserError(f"{error.rstrip('.')}, or pass --skip-bad to leave them out.")
        for item, why in items:
            self.leave_out(item, why)

    def leave_out(self, item: str, why: str) -> None:
        """Record that `item` is not used, and why."""
        if self.root is not None:
            why = why.replace(f"{self.root}/", "").replace(str(self.root), "the data set's folder")
        self.left_out.append((item, why))
