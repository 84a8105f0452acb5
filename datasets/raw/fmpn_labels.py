"""Label codes of FMPN's two releases (docs/methods.md, §6), and the pickle that holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from datasets.raw.plain_pickle import load_plain
from platform.errors import UserError

LABELS = "emotion_labels.pkl"

EXPRESSION_OF_CODE: Mapping[str, Mapping[int, str]] = {
    "CK+": {
        1: "anger", 2: "contempt", 3: "disgust", 4: "fear", 5: "happiness", 6: "sadness", 7: "surprise",
    },
    "MMI": {0: "anger", 1: "disgust", 2: "fear", 3: "happiness", 4: "sadness", 5: "surprise"},
}  # fmt: skip
"""Title of the data set -> its codes, ascending. The motion masks of both releases are numbered from 0 in
this order."""


def release_of(class_names: Iterable[str]) -> str:
    """The data set whose release has these classes: `ckplus` with contempt, else `mmi`."""
    return "ckplus" if "contempt" in class_names else "mmi"


UNLABELLED = -1
"""Code of CK+'s sequences without an expression label."""


def read_codes(path: Path) -> dict[str, int]:
    """The label code of each sequence (`S005_001`), from `emotion_labels.pkl`.

    Raises UserError if the file is not a pickle of plain data or holds anything else.
    """
    content = load_plain(path)
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path} must be a dict from sequences to label codes, but it is not; restore it.")
    codes = {}
    for sequence, code in content.items():
        whole = type(code) is int or (isinstance(code, float) and code.is_integer())
        if not isinstance(sequence, str) or not re.fullmatch(r"[^_]+_[^_]+", sequence) or not whole:
            raise UserError(
                f"{path} must map sequences like 'S005_001' to whole numbers, but maps {sequence!r} to "
                f"{code!r}; restore it."
            )
        codes[sequence] = int(code)
    return codes
