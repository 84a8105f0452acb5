"""Request for a reproduction of the paper: data sets, nets, seeds and weights of the mask loss."""

from __future__ import annotations

from dataclasses import dataclass

from platform.errors import unknown_name


@dataclass(frozen=True, kw_only=True)
class PaperSets:
    """The data sets that stand for CK+, MMI and AffectNet."""

    first: str
    """In CK+'s place: the source of masks."""
    second: str
    """In MMI's place."""
    wild: str
    """In AffectNet's place: no neutral faces, one split."""

    @property
    def names(self) -> tuple[str, str, str]:
        """All three."""
        return self.first, self.second, self.wild


SETS = {
    "synthetic": PaperSets(first="synthetic", second="synthetic_mmi", wild="synthetic_wild"),
    "paper": PaperSets(first="ckplus", second="mmi", wild="affectnet"),
}


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """Which parts of the paper to reproduce, and with which nets."""

    sets: PaperSets
    backbones: tuple[str, ...]
    lambdas: tuple[float, ...]
    """Weights of the mask loss to compare with the configuration's: the paper's 10 and the released 0.1."""
    controls: bool = True
    """Whether control masks run, on the first set."""
    seeds: tuple[int, ...] = ()
    """The training seeds, if they are not consecutive; empty: those of the settings."""


def paper_sets(name: str) -> PaperSets:
    """The sets of that name. UserError lists the known ones."""
    if name not in SETS:
        raise unknown_name("group of data sets", name, SETS)
    return SETS[name]
