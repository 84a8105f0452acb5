"""Data sets as they are often downloaded, in layouts that no adapter reads: what they are, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from datasets.raw.expression_names import MEANT, meant_expression
from datasets.raw.sources import visible_names

_CKPLUS_NAME = re.compile(r"^(?P<subject>S\d{3})_\d{3}_\d{8}\.png$", re.IGNORECASE)
_JAFFE_NAME = re.compile(
    r"^(?P<subject>[A-Z]{2})\.(?P<code>AN|DI|FE|HA|NE|SA|SU)\d*\.\d+\.tiff?$", re.IGNORECASE
)
FEWEST_EXPRESSIONS = 3


@dataclass(frozen=True)
class Download:
    """A data set as it was downloaded."""

    title: str
    place: Path
    """The folder that holds it: the one looked at, or the only folder in it."""
    what_to_do: str
    """A sentence or two."""


def recognise_download(root: Path) -> Download | None:
    """What lies in `root`, or in the only folder in it, by the names of its files; None for other things."""
    folders = [name for name in visible_names(root) if (root / name).is_dir()]
    for place in (root, *(root / name for name in folders if len(folders) == 1)):
        found = _ckplus_48(place) or _jaffe(place)
        if found is not None:
            return found
    return None


def _ckplus_48(place: Path) -> Download | None:
    """CK+48: 981 crops of 48 pixels, the last three frames of CK+'s labelled sequences, by expression."""
    shown = {name: meant for name in visible_names(place) if (meant := meant_expression(name))}
    folders = [name for name in shown if (place / name).is_dir()]
    images = [
        (name, one) for name in folders for one in visible_names(place / name) if _CKPLUS_NAME.match(one)
    ]
    subjects = {one.split("_")[0].upper() for _, one in images}
    if len({name for name, _ in images}) < FEWEST_EXPRESSIONS or len(subjects) < 2:
        return None
    name, one = images[0]
    return Download(
        title="CK+48",
        place=place,
        what_to_do=(
            "For the paper's folds put the images of all its folders into one folder imgs/ beside FMPN's "
            "lists (train_ids_K.csv, test_ids_K.csv, emotion_labels.pkl), and pass --dataset fmpn_release "
            "--aligned. For other folds write a table faces.csv into it, with the lines "
            f"image,subject,expression and {name}/{one},{one.split('_')[0]},{shown[name]} and so on, and "
            f"pass --dataset folder --source {quote(str(place))} --aligned."
        ),
    )


def _jaffe(place: Path) -> Download | None:
    """JAFFE: 213 images of ten women; the name tells the subject and the expression (KA.AN1.39.tiff)."""
    images = [match for name in visible_names(place) if (match := _JAFFE_NAME.match(name))]
    if len({image["code"].upper() for image in images}) < FEWEST_EXPRESSIONS:
        return None
    first = images[0]
    codes = {other.upper(): name for name, others in MEANT.items() for other in others if len(other) == 2}
    meanings = ", ".join(f"{code} {name}" for code, name in sorted(codes.items()) if code != "CO")
    return Download(
        title="JAFFE",
        place=place,
        what_to_do=(
            "Write a table faces.csv into it, with the lines image,subject,expression and "
            f"{first[0]},{first['subject']},{codes[first['code'].upper()]} and so on: a name begins with the "
            f"subject, then comes the expression ({meanings}). Then pass --dataset folder "
            f"--source {quote(str(place))} --landmarks detect."
        ),
    )
