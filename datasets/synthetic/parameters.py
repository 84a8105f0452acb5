"""Parameters of a synthetic set: everything that decides its pixels."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from platform.errors import UserError

GENERATOR_VERSION = 4
"""Raised whenever the same parameters give other pixels."""


@dataclass(frozen=True, kw_only=True)
class SetParameters:
    """Everything that decides the pixels of a set. Raises UserError for a value out of range."""

    subjects: int
    """Number of people."""
    frames: int
    """Frames per sequence: the first neutral, the last three near the apex."""
    difficulty: float
    """From 0 (strong, pure, frontal, evenly lit expressions) to 1 (faint, mixed, rotated, unevenly lit)."""
    seed: int
    size_pixels: int
    """Side of the square frames."""
    in_the_wild: bool = False
    """Whether every frame has another place, light and pose, and objects may occlude the face."""

    def __post_init__(self) -> None:
        rules: tuple[tuple[bool, str, object, str], ...] = (
            (1 <= self.subjects <= 500, "subjects must be from 1 to 500", self.subjects, "subjects 20"),
            (
                4 <= self.frames <= 99,
                "frames must be from 4 (one neutral, three apex) to 99",
                self.frames,
                "frames 6",
            ),
            (
                0.0 <= self.difficulty <= 1.0,
                "difficulty must be from 0 to 1",
                self.difficulty,
                "difficulty 0.5",
            ),
            (0 <= self.seed < 2**32, f"seed must be from 0 to {2**32 - 1}", self.seed, "seed 0"),
            (
                48 <= self.size_pixels <= 1024,
                "size must be from 48 to 1024 pixels",
                self.size_pixels,
                "size 192",
            ),
        )
        for holds, rule, value, remedy in rules:
            if not holds:
                raise UserError(f"{rule}, but got {value}; pass --{remedy}.")

    def as_record(self) -> dict[str, object]:
        """The parameters and the generator's version, for a manifest."""
        return {"generator_version": GENERATOR_VERSION, **asdict(self)}
