"""Augmentation by albumentations transforms as plain text: the built-in list and YAML files of the user.

Content is the canonical JSON of a list of `{transform: {argument: value}}`, applied in that order. It is the
setting itself, so it is part of a fold run's identity, and workers need no file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from platform.errors import UserError, unknown_name
from platform.files.json_files import parse_json
from platform.files.yaml_files import read_yaml

FILE_ENDINGS = (".yaml", ".yml")
POLICY_NAMES = ("paper", "none", "strong")
"""Names of the policies in datasets/augmentation/draw.py."""

REPLICATE = 1
LINEAR = 1
"""OpenCV's constants BORDER_REPLICATE and INTER_LINEAR as numbers, which albumentations expects."""

# Sizes are fractions of the face or a few pixels, so that one list fits faces of 52 and 320 px.
_STRONG: list[dict[str, dict[str, Any]]] = [
    # The variation that alignment by five landmarks leaves. The mask holds intensities, not classes, so it is
    # sampled like the face. The border is replicated, as in alignment.
    {
        "Affine": {
            "rotate": [-10, 10],
            "scale": [0.9, 1.1],
            "keep_ratio": True,
            "translate_percent": [-0.05, 0.05],
            "border_mode": REPLICATE,
            "interpolation": LINEAR,
            "mask_interpolation": LINEAR,
            "p": 0.8,
        }
    },
    {"RandomBrightnessContrast": {"brightness_limit": 0.2, "contrast_limit": 0.2, "p": 0.5}},
    {"RandomGamma": {"gamma_limit": [75, 135], "p": 0.5}},
    # Never both, because noise after a blur would hide it. Sigma of the blur in pixels, of the noise as a
    # fraction of 255.
    {
        "OneOf": {
            "transforms": [
                {"GaussianBlur": {"sigma_limit": [0.3, 1.2], "blur_limit": 0}},
                {"GaussNoise": {"std_range": [0.01, 0.04]}},
            ],
            "p": 0.4,
        }
    },
    # Holes in the face only. The mask stays intact, so the generator has to complete what is hidden.
    {
        "CoarseDropout": {
            "num_holes_range": [1, 2],
            "hole_height_range": [0.1, 0.2],
            "hole_width_range": [0.1, 0.2],
            "fill": 0,
            "fill_mask": None,
            "p": 0.3,
        }
    },
]


def canonical_content(entries: Sequence[Any]) -> str:
    """The content of a list of transforms: JSON with sorted keys and no spaces; 10.0 becomes 10, as
    elsewhere.

    Raises UserError for an empty list, values that JSON cannot express (dates, NaN) and keys that are not
    strings. The transforms themselves are checked by `check_transforms`.
    """
    if not entries:
        raise UserError("an augmentation needs one transform or more; for none use --augmentation none.")
    return json.dumps(_plain(entries, "the augmentation"), sort_keys=True, separators=(",", ":"))


def _plain(value: Any, place: str) -> Any:
    """`value` as plain JSON data."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise UserError(f"{place}: names of transforms and arguments are text, but got {key!r}.")
        return {key: _plain(part, f"{place}: {key}") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, place) for part in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UserError(f"{place}: numbers must be finite, but got {value!r}.")
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, str | bool | int):
        return value
    raise UserError(f"{place}: {value!r} is neither a number, text, a list nor a mapping.")


STRONG = canonical_content(_STRONG)
"""The policy `strong`, followed by crop and flip of `paper` (docs/augmentation.md)."""


def check_name(name: str) -> None:
    """UserError, with the known names, unless it is a policy's name."""
    if name not in POLICY_NAMES:
        raise UserError(
            f"{unknown_name('augmentation', name, POLICY_NAMES)} Or pass a .yaml file of albumentations "
            "transforms (docs/augmentation.md)."
        )


def is_content(setting: str) -> bool:
    """Whether an augmentation setting is the content of transforms rather than the name of a policy."""
    return setting.startswith("[")


def listed_transforms(content: str) -> list[Any]:
    """The list in a content. Raises UserError if it is not a JSON list."""
    listed = parse_json(content, "an augmentation that starts with '['", remedy="correct --augmentation.")
    assert isinstance(listed, list)  # nothing else starts with a bracket
    return listed


def augmentation_setting(value: Any) -> Any:
    """The setting for the user's value: the name of a YAML file, a list or JSON becomes canonical content.

    Any other value (the name of a policy) is returned unchanged, and checked by the configuration.
    """
    if isinstance(value, list | tuple):
        return canonical_content(value)
    if isinstance(value, str) and is_content(value):
        return canonical_content(listed_transforms(value))
    if isinstance(value, str) and value.lower().endswith(FILE_ENDINGS):
        return read_transforms(Path(value))
    return value


def read_transforms(path: Path) -> str:
    """The content of a YAML file of transforms. Raises UserError if it is unreadable, not YAML, not a list or
    not plain data."""
    entries = read_yaml(path, remedy="check --augmentation.")
    if not isinstance(entries, list):
        raise UserError(
            f"{path} must be a list of `- Transform: {{argument: value}}`, but holds "
            f"{type(entries).__name__}; see docs/augmentation.md."
        )
    try:
        return canonical_content(entries)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
