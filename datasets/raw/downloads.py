"""Common downloads of data sets in layouts that no adapter reads, and what to do with them."""

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
    """A recognised download."""

    title: str
    place: Path
    """The folder that holds it: the given one, or the only folder in it."""
    what_to_do: str
    """Instructions for the user, one or two sentences."""


def recognise_download(root: Path) -> Download | None:
    """The download in `root`, or in its only folder, recognised by file names; None if unknown."""
    folders = [name for name in visible_names(root) if (root / name).is_dir()]
    for place in (root, *(root / name for name in folders if len(folders) == 1)):
        found = _ckplus_48(place) or _jaffe(place)
        if found is not None:
            return found
    return None


def _ckplus_48(place: Path) -> Download | None:
    """CK+48: 981 crops of 48 × 48 pixels, the last three frames of CK+'s labelled sequences, by
    expression."""
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
            "For the paper's folds, move all images into one folder imgs/ next to FMPN's lists "
            "(train_ids_K.csv, test_ids_K.csv, emotion_labels.pkl) and pass --dataset fmpn_release "
            "--aligned. For other folds, write a table faces.csv into the folder, with the header "
            f"image,subject,expression and lines like {name}/{one},{one.split('_')[0]},{shown[name]}, and "
            f"pass --dataset folder --source {quote(str(place))} --aligned."
        ),
    )


def _jaffe(place: Path) -> Download | None:
    """JAFFE: 213 images of ten women; names hold subject and expression (KA.AN1.39.tiff)."""
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
            "Write a table faces.csv into the folder, with the header image,subject,expression and lines "
            f"like {first[0]},{first['subject']},{codes[first['code'].upper()]}: a file name begins with the "
            f"subject, followed by the expression ({meanings}). Then pass --dataset folder "
            f"--source {quote(str(place))} --landmarks detect."
        ),
    )
