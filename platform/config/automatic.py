"""Settings that may be `auto`: decided once for an experiment, by what the machine has and measures.

`auto` is a way of asking. Plans, configurations, records and stored settings hold what was decided.
"""

from __future__ import annotations

AUTO = "auto"
AUTOMATIC = ("gpus_per_run", "precision")
"""The settings that may be `auto`."""
PAPER_SIZED = ("paper",)
"""Presets whose precision is `auto`: at the paper's size, bf16 is worth its rounding where it is faster.
`released` is the released code's float32, and the small presets are trained in minutes anyway."""


def automatic_by_default(preset: str) -> frozenset[str]:
    """The settings that are `auto` in a preset unless a flag or a file says otherwise."""
    return frozenset(AUTOMATIC if preset in PAPER_SIZED else ("gpus_per_run",))
