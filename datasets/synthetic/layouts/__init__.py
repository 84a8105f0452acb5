"""Native layouts that a synthetic set can be written in; a file's name is its registry key.

Each module offers what `Layout` says, so that the adapter of the imitated data set reads the drawn set as it
would read a licensed copy.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from platform.errors import unknown_name

if TYPE_CHECKING:
    from datasets.synthetic.parameters import SetParameters

LAYOUTS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__"))
"""Names of the layouts: the files of this folder."""

Row = list[str]
"""One line of a layout's own index (a CSV file, say); empty lists where it has none."""


class Layout(Protocol):
    """What a layout module offers."""

    DATASET: str
    """The adapter that reads it: the value of `--dataset`."""
    CONTENTS: tuple[str, ...]
    """Names in the set's folder that it writes."""

    def places(self, parameters: SetParameters) -> list[tuple[int, int]]:
        """(subject, sequence), both from 0, as `draw_frame` counts them, in the order of writing."""

    def frames_a_place(self, parameters: SetParameters) -> int:
        """Frames drawn for each place."""

    def write_sequence(self, root: Path, parameters: SetParameters, subject: int, sequence: int) -> list[Row]:
        """Write the files of one place; the same bytes however often, in any order, in any process.

        Returns the lines that it adds to the layout's index.
        """

    def finish(self, root: Path, parameters: SetParameters, rows: list[Row]) -> None:
        """Write what needs the lines of all places, in their order; the same bytes however often."""


def everyones_sequences(parameters: SetParameters, unlabelled_every: int) -> list[tuple[int, int]]:
    """(subject, sequence): the seven expressions of everyone, and of one subject in `unlabelled_every` an
    eighth sequence that shows none."""
    from datasets.synthetic.performance import EXPRESSIONS

    return [
        (subject, sequence)
        for subject in range(parameters.subjects)
        for sequence in range(len(EXPRESSIONS) + (subject % unlabelled_every == unlabelled_every - 1))
    ]


def load_layout(name: str) -> Layout:
    """The layout `name`. Raises UserError for an unknown one."""
    if name not in LAYOUTS:
        raise unknown_name("layout", name, LAYOUTS)
    return cast(Layout, import_module(f"datasets.synthetic.layouts.{name}"))
