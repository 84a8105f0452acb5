"""albumentations transforms of a face and its motion mask: built from content, run with a seed per image."""

from __future__ import annotations

import difflib
import inspect
import os
import random
import warnings
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from datasets.augmentation.content import listed_transforms
from platform.errors import UserError

COMPOSITIONS = ("OneOf", "RandomOrder", "Sequential", "SomeOf")
"""Supported compositions: albumentations' classes that contain other transforms."""


def library() -> ModuleType:
    """albumentations, imported at first use, without its messages."""
    # Without this variable the import looks for a newer version on the network.
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations
    import cv2

    # Fold runs share a machine, and images of this size gain nothing from OpenCV's threads.
    cv2.setNumThreads(1)
    return albumentations


@cache
def transform_classes() -> dict[str, type]:
    """Every transform of single images in albumentations: name to class."""
    albumentations = library()
    bases = (albumentations.ImageOnlyTransform, albumentations.DualTransform)
    # Volumes are not images, and the functions of a Lambda cannot be written in a file.
    others = (*bases, albumentations.Transform3D, albumentations.Lambda)
    found = ((name, getattr(albumentations, name)) for name in dir(albumentations))
    return {
        name: kind
        for name, kind in found
        if isinstance(kind, type)
        and issubclass(kind, bases)
        and kind not in others
        and not issubclass(kind, albumentations.Transform3D)
    }


def entries_of(content: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Place (for messages), transform and arguments of every top-level entry of a content."""
    return list(_entries(listed_transforms(content), "augmentation"))


def _entries(listed: Any, place: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, entry in enumerate(listed, start=1):
        if isinstance(entry, str):
            entry = {entry: None}  # `- HorizontalFlip`, with no argument
        if not isinstance(entry, dict) or len(entry) != 1:
            raise UserError(
                f"{place}, entry {number}: each must be one `Transform: {{argument: value}}`, "
                f"but got {entry!r}; start each transform with its own dash."
            )
        ((name, arguments),) = entry.items()
        where = f"{place}, entry {number} ({name})"
        if not isinstance(arguments, dict | None):
            raise UserError(f"{where}: arguments must be names with values, but got {arguments!r}.")
        yield where, name, dict(arguments or {})


def build_transform(place: str, name: str, arguments: dict[str, Any]) -> Any:
    """One transform or composition. Raises UserError, with the place, for an invalid name, argument or
    value."""
    if name in COMPOSITIONS:
        return _build_composition(place, name, arguments)
    classes = transform_classes()
    if name not in classes:
        nearest = difflib.get_close_matches(name, [*classes, *COMPOSITIONS], n=3)
        hint = f"did you mean {' or '.join(nearest)}?" if nearest else "use its class names."
        raise UserError(f"{place}: albumentations has no transform {name!r} for images; {hint}")
    _check_arguments(place, classes[name], arguments)
    # albumentations warns and falls back to defaults, but no value may differ from the given one.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            built = classes[name](**arguments)
        except Exception as error:
            raise UserError(f"{place}: {_reason(error)}") from error
    # Not all transforms of boxes declare what they need.
    needed = ["bboxes"] if "BBox" in name else built.targets_as_params
    if needed:
        raise UserError(
            f"{place}: it needs more than a face ({', '.join(needed)}), which training does not "
            "have; remove it."
        )
    return built


def _check_arguments(place: str, kind: type, arguments: dict[str, Any]) -> None:
    known = [name for name in inspect.signature(kind).parameters if name != "strict"]
    for argument in arguments:
        if argument not in known:
            nearest = difflib.get_close_matches(argument, known, n=1)
            hint = f" did you mean {nearest[0]}?" if nearest else ""
            raise UserError(
                f"{place}: unknown argument {argument!r};{hint} Known: {', '.join(sorted(known))}."
            )


def _reason(error: Exception) -> str:
    """The reason for refusing a value, in one line: pydantic's argument, rule and value, or the message."""
    details = getattr(error.__cause__, "errors", None)
    if details is None:
        return " ".join(str(error).split())
    first = details()[0]
    argument = f"{first['loc'][0]}: " if first["loc"] else ""
    given = "" if first["type"] == "missing" or not first["loc"] else f", but got {first['input']!r}"
    return f"{argument}{first['msg'].removeprefix('Value error, ')}{given}"


def _build_composition(place: str, name: str, arguments: dict[str, Any]) -> Any:
    kind = getattr(library(), name)
    _check_arguments(place, kind, arguments)
    listed = arguments.get("transforms")
    if not isinstance(listed, list) or not listed:
        raise UserError(f"{place}: transforms must be a list of one transform or more, but got {listed!r}.")
    count = arguments.get("n", 1)
    if type(count) is not int or not 1 <= count <= len(listed):
        raise UserError(f"{place}: n must be 1 to {len(listed)}, its transforms, but got {count!r}.")
    share = arguments.get("p", 0.5)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise UserError(f"{place}: p must be 0 to 1, but got {share!r}.")
    if not isinstance(arguments.get("replace", False), bool):
        raise UserError(f"{place}: replace must be true or false, but got {arguments['replace']!r}.")
    inner = [build_transform(*entry) for entry in _entries(listed, place)]
    if name == "OneOf" and not sum(transform.p for transform in inner) > 0:
        raise UserError(f"{place}: the p of its transforms are their weights and must not all be 0.")
    return kind(**{**arguments, "transforms": inner})


class FaceTransforms:
    """The transforms of a content, ready to run; not thread-safe."""

    def __init__(self, content: str) -> None:
        """Raises UserError as `build_transform`."""
        self.content = content
        transforms = [build_transform(*entry) for entry in entries_of(content)]
        self._compose = library().Compose(transforms)

    def __call__(
        self, face: np.ndarray, mask: np.ndarray | None, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Augmented copies of face (uint8 [L, L, 3] RGB) and mask (uint8 [L, L]), randomised by `seed`.

        Equal face, mask and seed give equal bytes, independent of earlier calls, and the face is the same
        with and without a mask. Raises UserError if a transform changes size or type.
        """
        # Not `set_random_seed`, which gives every transform its own generator with the same seed, so that all
        # transforms of equal p are applied together or not at all (docs/augmentation.md).
        self._compose.set_random_state(np.random.default_rng(seed), random.Random(seed))
        given = {"image": face} if mask is None else {"image": face, "mask": mask}
        made = self._compose(**given)
        for name, before in given.items():
            after = made[name]
            if after.shape != before.shape or after.dtype != np.uint8:
                raise UserError(
                    f"augmentation must keep the {name} uint8 {list(before.shape)}, but made it "
                    f"{after.dtype} {list(after.shape)}; remove transforms that change size or type."
                )
        return made["image"], made.get("mask")
