"""What a user may choose about reading a raw data set, and what becomes of items that are bad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from datasets.raw.image_key import ImageKey
from platform.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Which frames are wanted, beyond the data set's own rule. An adapter ignores none silently:
    it raises UserError for a choice that it has no meaning for (`refuse`)."""

    frames: frozenset[ImageKey] | None = None
    """Exactly these expressive frames (released lists) instead of the rule's; all must be there."""
    whole_sequences: bool = False
    """Every frame of the labelled sequences too, with role `context`, for sequence methods."""
    per_class: int | None = None
    """Images drawn of each class, for in-the-wild sets; None takes all."""
    draw_seed: int = 0
    """Of that draw."""

    def refuse(self, dataset: str, *names: str) -> None:
        """Raises UserError where one of the fields `names` was chosen, which `dataset` cannot serve."""
        flags = {
            "frames": "--frames", "whole_sequences": "--whole-sequences",
            "per_class": "--per-class", "draw_seed": "--draw-seed",
        }  # fmt: skip
        plain = Choices()
        for name in names:
            if getattr(self, name) != getattr(plain, name):
                raise UserError(f"{flags[name]} has no meaning for {dataset}; leave it out.")


ALL_BY_THE_RULE = Choices()
"""The data set's own rule, nothing else."""


@dataclass(kw_only=True)
class BadItems:
    """Stops at the first item that cannot be used, or leaves it out and remembers it."""

    skip: bool = False
    """False (`--strict`, the default): the first bad item stops everything."""
    root: Path | None = None
    """The data set's folder, absolute, which is taken off the reasons: they go into the store, whose
    bytes must not depend on where the data set lies."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """(item, why) of everything left out, in order."""
    beside: list[str] = field(default_factory=list)
    """Files and folders in the data set's folder that are no part of it, relative to `root`."""

    @contextmanager
    def guard(self, item: str) -> Iterator[None]:
        """The body deals with `item` alone; where it raises UserError, the item is bad."""
        try:
            yield
        except UserError as error:
            if not self.skip:
                raise
            self.leave_out(item, str(error))

    def leave_out_all(self, items: Sequence[tuple[str, str]], error: str) -> None:
        """Raises UserError with `error` and the way on, or leaves out all `items`, each with its reason."""
        if not self.skip:
            raise UserError(f"{error.rstrip('.')}, or pass --skip-bad to go on without.")
        for item, why in items:
            self.leave_out(item, why)

    def leave_out(self, item: str, why: str) -> None:
        """Remember that `item` is not used, and why."""
        if self.root is not None:
            why = why.replace(f"{self.root}/", "").replace(str(self.root), "the data set's folder")
        self.left_out.append((item, why))
