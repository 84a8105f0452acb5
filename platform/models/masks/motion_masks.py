"""Motion masks as artifacts: built from training subjects, released by FMPN's authors, and controls."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.errors import UserError, unknown_name
from platform.models.artifact import Artifact, ArtifactData, Content, Reach, Tools

if TYPE_CHECKING:
    from datasets.folds.view import FoldView
    from datasets.masks.motion_masks import MaskSet

RECIPE_VERSION = 1
"""Raised when the mask recipe of datasets/masks/motion_masks.py changes its output."""


@dataclass(frozen=True)
class MotionMasks(Artifact):
    """One motion mask a class, built from the faces of the training subjects."""

    name = "masks"
    title = "motion mask"
    folder = "masks"
    by_class = True

    def record(self, reach: Reach) -> dict[str, Any]:
        return {
            "kind": "masks",
            "recipe_version": RECIPE_VERSION,
            "data": dict(reach.data),
            "train_subjects": reach.train_subjects,
        }

    def control(self, name: str, of: str) -> Artifact:
        from datasets.masks.controls import CONTROLS

        if name not in CONTROLS:
            raise unknown_name("mask control", name, CONTROLS)
        return ControlMasks(control_name=name, of=of)

    def check_data(self, data: ArtifactData, method: str) -> None:
        from datasets.masks.controls import WITHOUT_MASKS

        counts = {subject: data.neutral_faces.get(subject, 0) for subject in data.subjects}
        wrong = [subject for subject in data.subjects if counts[subject] != 1]
        if wrong:
            raise UserError(
                f"{method} needs one neutral face of each subject for its motion masks, but {len(wrong)} of "
                f"{len(data.subjects)} training subjects of {data.title} have none or several (the first, "
                f"{wrong[0]}, has {counts[wrong[0]]}); pass --masks released DIR (crossval; FMPN's released "
                f"masks), --masks {', '.join(WITHOUT_MASKS[:-1])} or {WITHOUT_MASKS[-1]} (controls without a "
                "prior), --method cnn (no masks), or use another data set's masks: python -m "
                f"platform.transfer --source NAME --target {data.dataset}, with --preset and --data-root as "
                "here."
            )
        present = frozenset().union(*(data.classes_of_subject.get(one, frozenset()) for one in data.subjects))
        lacking = [name for name in data.class_names if name not in present]
        if lacking:
            raise UserError(
                f"{method} needs a training image of every class for its motion masks, but a fold run on "
                f"{data.title} trains on {len(data.subjects)} subjects without {', '.join(lacking)}; pass "
                "another number of --folds."
            )

    def make(self, view: FoldView, settings: Any, inputs: Mapping[str, Content], tools: Tools) -> Content:
        from datasets.masks.motion_masks import build_masks

        return content_of(build_masks(view))


@dataclass(frozen=True)
class ReleasedMasks(MotionMasks):
    """FMPN's released masks of one fold, named by their content."""

    release: str
    """Folder of the release, absolute, seen by all nodes."""
    fold: int
    masks_hash: str
    """`MaskSet.hash` at the time of planning."""

    def record(self, reach: Reach) -> dict[str, Any]:
        return {"kind": "masks", "released": self.masks_hash, "fold": self.fold}

    def check_data(self, data: ArtifactData, method: str) -> None:
        """They are made from no face of the prepared set."""

    def make(self, view: FoldView, settings: Any, inputs: Mapping[str, Content], tools: Tools) -> Content:
        from datasets.masks.released import released_mask_set

        masks = released_mask_set(Path(self.release), self.fold, view.class_names, _size_pixels(view))
        if masks.hash != self.masks_hash:
            raise UserError(
                f"the masks in {self.release} are no longer those that this run was planned with; run the "
                "same command again."
            )
        return content_of(masks)


@dataclass(frozen=True)
class ControlMasks(Artifact):
    """A control in place of motion masks (datasets/masks/controls.py)."""

    control_name: str
    of: str
    """Identity of the masks that it replaces."""

    name = "masks"
    title = "mask control"
    folder = "masks"
    by_class = True

    @property
    def rests_on(self) -> tuple[str, ...]:  # type: ignore[override]
        """The masks that it replaces, unless it is drawn from names and size alone."""
        from datasets.masks.controls import WITHOUT_MASKS

        return () if self.control_name in WITHOUT_MASKS else ("masks",)

    def record(self, reach: Reach) -> dict[str, Any]:
        return {
            "kind": "masks",
            "control": self.control_name,
            "recipe_version": RECIPE_VERSION,
            "of": self.of,
        }

    def make(self, view: FoldView, settings: Any, inputs: Mapping[str, Content], tools: Tools) -> Content:
        from datasets.masks.controls import WITHOUT_MASKS, control_masks, drawn_masks

        if self.control_name in WITHOUT_MASKS:
            return content_of(drawn_masks(self.control_name, view.class_names, _size_pixels(view)))
        return content_of(control_masks(self.control_name, masks_of(inputs["masks"], view.class_names)))


def masks_of(content: Content, class_names: Sequence[str]) -> MaskSet:
    """The masks of these classes, in their order. UserError names a class without a mask."""
    import numpy as np

    from datasets.masks.motion_masks import MaskSet, select_masks

    images = np.load(io.BytesIO(content.files["masks.npy"]), allow_pickle=False)
    return select_masks(MaskSet(class_names=tuple(content.facts["classes"]), images=images), class_names)


def content_of(masks: MaskSet) -> Content:
    """The masks as an artifact's content."""
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, masks.images, allow_pickle=False)
    return Content(files={"masks.npy": buffer.getvalue()}, facts={"classes": list(masks.class_names)})


def _size_pixels(view: FoldView) -> int:
    """Side length of the view's faces."""
    return int(view.read(view.training_rows[:1]).shape[1])
