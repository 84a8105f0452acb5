"""Synonyms and abbreviations of the field's names of expressions."""

from __future__ import annotations

from collections.abc import Iterable

from datasets.raw.near_names import nearest
from platform.errors import UserError

MEANT: dict[str, tuple[str, ...]] = {
    "anger": ("angry", "an", "ang", "mad"),
    "contempt": ("contemptuous", "co", "con"),
    "disgust": ("disgusted", "di", "dis"),
    "fear": ("fearful", "afraid", "scared", "fe", "fea"),
    "happiness": ("happy", "joy", "joyful", "ha", "hap", "smile"),
    "neutral": ("natural", "normal", "ne", "neu", "calm"),
    "sadness": ("sad", "sa"),
    "surprise": ("surprised", "su", "sur"),
}
"""The field's name -> its synonyms, in lower case. Messages suggest them and nothing applies them: whoever
chose a name may have meant something else."""


def meant_expression(text: str) -> str | None:
    """The field's name that `text` stands for or resembles; None if there is none."""
    name = text.strip().casefold()
    return next((one for one, others in MEANT.items() if name in others), None) or nearest(name, MEANT)


def unknown_expression(text: str, known: Iterable[str]) -> UserError:
    """The error for `text`, which is not one of the `known` expressions; it suggests one of them."""
    known = sorted(known)
    meant = meant_expression(text)
    proposed = next((name for name in known if name.casefold() == meant), None)
    hint = f"; did you mean {proposed!r}?" if proposed else "."
    return UserError(f"unknown expression {text!r}{hint} Known: {', '.join(known)}.")
