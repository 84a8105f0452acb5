"""Class names of the user's own folder: the field's, names that stand for them, or the folder's own."""

from __future__ import annotations

import re
from pathlib import Path

from datasets.raw.choices import Choices
from datasets.raw.expression_names import unknown_expression
from datasets.records import EXPRESSIONS
from platform.errors import UserError

CLASS_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""A class name can be part of file names and of column names."""


def read_renamed(pairs: list[str]) -> tuple[tuple[str, str], ...]:
    """`--map NAME=CLASS ...` as pairs in lower case, sorted. UserError: another form, or a name twice."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, separator, meant = (part.strip().casefold() for part in pair.partition("="))
        if not (name and separator and meant):
            raise UserError(f"--map takes NAME=CLASS, for example happy=happiness, but got {pair!r}.")
        if found.setdefault(name, meant) != meant:
            raise UserError(f"--map gives {name} two meanings, {found[name]} and {meant}; pass one of them.")
    return tuple(sorted(found.items()))


class ClassNames:
    """What the names of folders, or those in a table, mean."""

    def __init__(self, choices: Choices) -> None:
        """UserError: a class that no name may stand for."""
        self._renamed, self._own = dict(choices.renamed), choices.own_classes
        self._met: set[str] = set()
        for meant in self._renamed.values():
            self._checked(meant)

    def meant(self, text: str) -> str:
        """The class that `text` stands for. UserError: none that is known."""
        name = text.strip().casefold()
        self._met.add(name)
        return self._checked(self._renamed.get(name, name), text)

    def check_all_met(self, root: Path) -> None:
        """UserError: a name of --map that the folder `root` does not have."""
        for name in sorted(self._renamed.keys() - self._met):
            raise UserError(
                f"--map names {name}, but {root} has {', '.join(sorted(self._met)) or 'no classes'}; correct "
                "the name, or leave it out."
            )

    def _checked(self, name: str, text: str | None = None) -> str:
        if not self._own and name not in EXPRESSIONS:
            raise unknown_expression(name if text is None else text, EXPRESSIONS)
        if not CLASS_NAME.fullmatch(name):
            raise UserError(
                "a class name has at most 40 letters a to z, digits, '_' and '-', but got "
                f"{name!r}; give it another one with --map '{name}=NAME'."
            )
        return name
