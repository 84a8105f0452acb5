"""Random streams: one seed per run seed, purpose and epoch, so that any epoch can be repeated on its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derived_seed(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for `purpose`; the same on every machine and Python version."""
    text = "/".join([str(seed), *map(str, purpose)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator seeded for `purpose`."""
    return torch.Generator().manual_seed(derived_seed(seed, *purpose))


@contextmanager
def torch_seeded(seed: int, *purpose: str | int) -> Iterator[None]:
    """Context that seeds torch's global generator (initialisation, dropout) and restores it afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(seed, *purpose))
        yield
