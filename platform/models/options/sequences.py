"""Options of the sequences that a method sees."""

from __future__ import annotations

from dataclasses import dataclass

from platform.models.options.configuration import Configuration
from platform.models.options.fields import check_rule


@dataclass(frozen=True, kw_only=True)
class SequenceFrames(Configuration):
    """How much of each sequence a net sees."""

    frames: int = 16
    """Frames of a sequence that the net sees, spread evenly from its first to its last; a sequence of fewer
    frames is seen whole."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_rule(self, "frames", 2 <= self.frames <= 1024, "2 to 1024")
