from __future__ import annotations

import json
from typing import Any

import pytest

from datasets.augmentation.check import check_augmentation, check_transforms
from datasets.augmentation.content import POLICY_NAMES, STRONG, canonical_content
from datasets.augmentation.draw import POLICIES
from platform.errors import UserError

SIDE = 40
SIZE_CHANGED = "must keep the image uint8 [40, 40, 3], but made it"


def check(*entries: Any) -> None:
    check_augmentation(canonical_content(entries), SIDE)


@pytest.mark.parametrize("side", [16, 34, 52, 320])
def test_the_strong_policy_passes_its_own_check_at_every_size(side: int) -> None:
    check_transforms(STRONG, side)


@pytest.mark.parametrize(
    "entry",
    [
        "HorizontalFlip",
        {"HorizontalFlip": None},
        {"Affine": {"rotate": [-5, 5], "shear": 3}},
        {"RandomResizedCrop": {"size": [SIDE, SIDE]}},
        {"ElasticTransform": {"alpha": 10}},
        {"SomeOf": {"transforms": ["Blur", {"Sharpen": {"p": 1}}], "n": 1}},
        # A translation made of two transforms that change the size: tried together.
        {
            "Sequential": {
                "transforms": [
                    {"PadIfNeeded": {"min_height": SIDE + 4, "min_width": SIDE + 4, "p": 1}},
                    {"RandomCrop": {"height": SIDE, "width": SIDE, "p": 1}},
                ]
            }
        },
    ],
)
def test_what_keeps_size_and_type_is_accepted(entry: Any) -> None:
    check(entry)


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        ({"Affin": {}}, ["entry 2 (Affin)", "no transform 'Affin'", "did you mean Affine?"]),
        ({"Bluur": {}}, ["did you mean Blur or ZoomBlur?"]),
        ({"Affine": {"rotat": 3}}, ["entry 2 (Affine)", "unknown argument 'rotat'", "did you mean rotate?"]),
        ({"Affine": {"rotate": "far"}}, ["entry 2 (Affine): rotate:", "but got 'far'"]),
        ({"Affine": {"p": 2}}, ["(Affine): p: ", "less than or equal to 1", "but got 2"]),
        ({"GaussNoise": {"std_range": [3, 4]}}, ["std_range: ", "<= 1", "but got [3, 4]"]),
        ({"CenterCrop": None}, ["(CenterCrop): height: Field required"]),
        ({"Affine": [3]}, ["entry 2 (Affine)", "names with values", "[3]"]),
        ({"Affine": {}, "Blur": {}}, ["entry 2:", "one `Transform:", "its own dash"]),
        (3, ["entry 2:", "but got 3"]),
        # Needs what a face does not have.
        ({"MaskDropout": {}}, ["(MaskDropout)", "needs more than a face (mask)"]),
        ({"FDA": {}}, ["needs more than a face (fda_metadata)"]),
        ({"RandomSizedBBoxSafeCrop": {"height": SIDE, "width": SIDE}}, ["needs more than a face (bboxes)"]),
        ({"ConstrainedCoarseDropout": {}}, ["fails on a face of 40x40", "mask nor bboxes"]),
        ({"CenterCrop3D": {}}, ["no transform 'CenterCrop3D' for images"]),
        ({"Lambda": {}}, ["no transform 'Lambda'"]),
        ({"ToTensorV2": {}}, ["no transform 'ToTensorV2'"]),
        # Changes size or type.
        ({"CenterCrop": {"height": 20, "width": 20}}, [SIZE_CHANGED, "uint8 [20, 20, 3]"]),
        ({"RandomScale": {"p": 0.01}}, ["(RandomScale)", SIZE_CHANGED]),
        ({"CenterCrop": {"height": 99, "width": 20}}, ["fails on a face of 40x40", "(99, 20)"]),
        ({"Normalize": {}}, [SIZE_CHANGED, "float32"]),
        ({"ToGray": {"num_output_channels": 1}}, [SIZE_CHANGED, "[40, 40]"]),
        ({"CropNonEmptyMaskIfExists": {"height": 20, "width": 20}}, ["(CropNonEmptyMaskIfExists)"]),
        # Compositions, which albumentations does not check.
        ({"OneOf": {"transforms": []}}, ["(OneOf)", "one transform or more", "[]"]),
        ({"OneOf": {}}, ["one transform or more", "None"]),
        ({"OneOf": {"transforms": ["Blur"], "p": 3}}, ["p must be 0 to 1, but got 3"]),
        ({"OneOf": {"transforms": [{"Blur": {"p": 0}}]}}, ["weights and must not all be 0"]),
        ({"SomeOf": {"transforms": ["Blur"], "n": 2}}, ["n must be 1 to 1, its transforms, but got 2"]),
        ({"SomeOf": {"transforms": ["Blur"], "replace": 1}}, ["replace must be true or false, but got 1"]),
        ({"SomeOf": {"transforms": ["Blur"], "m": 1}}, ["unknown argument 'm'"]),
        (
            {"OneOf": {"transforms": ["Blur", {"Resize": {"height": 3, "width": 4}}]}},
            ["entry 2 (OneOf), Resize", SIZE_CHANGED],
        ),
        (
            {"SomeOf": {"transforms": [{"OneOf": {"transforms": ["Bluur"]}}], "n": 1}},
            ["entry 2 (SomeOf), entry 1 (OneOf), entry 1 (Bluur)"],
        ),
        # albumentations would warn and go on with something else.
        ({"ShiftScaleRotate": {}}, ["use Affine transform instead"]),
    ],
)
def test_what_cannot_be_trained_with_is_refused_with_place_and_reason(entry: Any, parts: list[str]) -> None:
    with pytest.raises(UserError) as refusal:
        check("HorizontalFlip", entry)
    for part in parts:
        assert part.lower() in str(refusal.value).lower()
    assert "\n" not in str(refusal.value)


def test_a_face_that_would_depend_on_its_mask_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mask shows the class: nothing of it may reach the face."""
    from datasets.augmentation import check as augmentation_check

    class Leaking:
        def __init__(self, content: str) -> None:
            assert json.loads(content)

        def __call__(self, face: Any, mask: Any, seed: int) -> tuple[Any, Any]:
            return (face if mask is None else face // 2), mask

    monkeypatch.setattr(augmentation_check, "FaceTransforms", Leaking)
    with pytest.raises(UserError, match="depends on the motion mask, which reveals the class"):
        check_transforms.__wrapped__(canonical_content(["Blur"]), SIDE)


def test_names_are_checked_and_known_ones_need_nothing_more() -> None:
    assert set(POLICY_NAMES) == POLICIES.keys()
    for name in POLICY_NAMES:
        check_augmentation(name, SIDE)
    with pytest.raises(UserError, match=r"unknown augmentation 'stronger'; did you mean 'strong'.*\.yaml"):
        check_augmentation("stronger", SIDE)
    with pytest.raises(UserError, match="not valid JSON"):
        check_augmentation("[", SIDE)
