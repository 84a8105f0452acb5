"""Training seeds of an experiment: `--seed S --seeds N` stands for S, S + 1, ... S + N - 1."""

from __future__ import annotations

from collections.abc import Sequence

from platform.errors import UserError

SEED_LIMIT = 2**31
"""Seeds are below it."""
MOST_SEEDS = 100
"""More would describe the spread between seeds no better, and a typing error would plan for hours."""
LISTED = 5
"""So many seeds are listed one by one."""


def training_seeds(first: int, count: int) -> tuple[int, ...]:
    """The seeds with which every row runs. UserError: the last would be no seed any more."""
    last = first + count - 1
    if last >= SEED_LIMIT:
        raise UserError(
            f"seeds are 0 to 2**31 - 1, but --seed {first} with --seeds {count} goes up to {last}; pass a "
            "smaller --seed."
        )
    return tuple(range(first, last + 1))


def named_seeds(seeds: Sequence[int]) -> str:
    """`one seed (0)`, `3 seeds (0, 1, 2)`, `20 seeds (0 to 19)`."""
    consecutive = list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    listed = (
        f"{seeds[0]} to {seeds[-1]}" if consecutive and len(seeds) > LISTED else ", ".join(map(str, seeds))
    )
    return f"{'one seed' if len(seeds) == 1 else f'{len(seeds)} seeds'} ({listed})"
