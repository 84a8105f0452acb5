from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pytest

from datasets.alignment.similarity import align, five_points_from_68, similarity_transform, template_points
from datasets.audit.near_duplicates import (
    SAME_PICTURE,
    SIDE,
    closest,
    near_duplicates,
    small_picture,
    unit_bands,
)
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters

PARAMETERS = SetParameters(subjects=5, frames=4, difficulty=0.35, seed=2, size_pixels=64)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """uint8 (15, 64, 64, 3): five people, each angry, happy and surprised, aligned."""
    made = []
    for subject in range(5):
        for sequence in (0, 4, 6):
            image, points = draw_frame(PARAMETERS, subject, sequence, 3)
            transform = similarity_transform(five_points_from_68(points), template_points(64))
            made.append(align(image, transform, 64))
    return np.stack(made)


PEOPLE = np.repeat(np.arange(5), 3)


def pictures(images: Iterable[np.ndarray]) -> np.ndarray:
    return np.stack([small_picture(image) for image in images])


def jpeg(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)


def brighter(image: np.ndarray) -> np.ndarray:
    return np.minimum(image.astype(np.int64) + 20, 255).astype(np.uint8)


def halved(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)


def noisy(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 5, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_different_people_do_not_look_the_same(faces: np.ndarray) -> None:
    assert near_duplicates(pictures(faces), PEOPLE) == []


@pytest.mark.parametrize("change", [jpeg, brighter, halved, noisy])
def test_a_copy_under_another_subject_is_found_whatever_was_done_to_it(
    faces: np.ndarray, change: object
) -> None:
    assert callable(change)
    copies = [change(image) for image in faces]
    pairs = near_duplicates(
        np.concatenate([pictures(faces), pictures(copies)]), np.concatenate([PEOPLE, PEOPLE + 5])
    )
    found = {(pair.first, pair.second) for pair in pairs}
    assert {(position, position + 15) for position in range(15)} <= found
    assert all(SAME_PICTURE <= pair.correlation <= 1 for pair in pairs)
    assert near_duplicates(pictures(copies), PEOPLE) == []


def test_images_of_one_subject_are_never_paired(faces: np.ndarray) -> None:
    twice = np.concatenate([pictures(faces), pictures(faces)])
    assert near_duplicates(twice, np.concatenate([PEOPLE, PEOPLE])) == []


def test_two_images_are_enough_and_flat_ones_match_nothing(faces: np.ndarray) -> None:
    (pair,) = near_duplicates(pictures([faces[0], jpeg(faces[0])]), np.array(["A", "B"]))
    assert (pair.first, pair.second) == (0, 1)
    flat = np.full((40, 30, 3), 90, dtype=np.uint8)
    assert not unit_bands(pictures([flat])).any()
    assert near_duplicates(pictures([flat, flat]), np.array([0, 1])) == []


def test_what_is_compared_has_length_1_and_mean_0_at_any_size(faces: np.ndarray) -> None:
    for image in (faces[0], cv2.resize(faces[0], (300, 200))):
        (row,) = unit_bands(pictures([image]))
        assert (row.shape, row.dtype) == ((SIDE**2,), np.float32)
        assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)
        assert row.mean() == pytest.approx(0, abs=1e-6)


def test_blocks_give_what_all_pairs_at_once_give(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(4)
    rows = draw.normal(size=(23, 6)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    subjects = np.arange(23) // 2
    correlation = rows @ rows.T
    correlation[subjects[:, None] == subjects] = -1
    monkeypatch.setattr("datasets.audit.near_duplicates._BLOCK", 4)
    found = list(closest(rows, rows, subjects))
    assert [row for row, _, _ in found] == list(range(23))
    assert [other for _, other, _ in found] == correlation.argmax(axis=1).tolist()
    assert [value for _, _, value in found] == pytest.approx(correlation.max(axis=1).tolist(), abs=1e-6)


def mirrored(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[:, ::-1])


def inverted(image: np.ndarray) -> np.ndarray:
    return 255 - image


def turned_over(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(image, 3))


def tilted(image: np.ndarray, degrees: float = 5) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((31.5, 31.5), degrees, 1)
    return cv2.warpAffine(image, matrix, (64, 64), borderMode=cv2.BORDER_REPLICATE)


def cropped(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image[3:61, 3:61], (64, 64), interpolation=cv2.INTER_AREA)


def cropped_at_two_sides(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image[2:, 2:], (64, 64), interpolation=cv2.INTER_AREA)


def mirrored_tilted_inverted(image: np.ndarray) -> np.ndarray:
    return inverted(tilted(mirrored(image), -4))


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (mirrored, "mirrored"),
        (inverted, "inverted"),
        (turned_over, "rotated by 90 degrees"),
        (tilted, ""),
        (cropped, ""),
        (cropped_at_two_sides, ""),
        (mirrored_tilted_inverted, "mirrored, inverted"),
    ],
)
def test_a_copy_that_lies_otherwise_is_found_and_said_how(
    faces: np.ndarray, change: Callable[[np.ndarray], np.ndarray], how: str
) -> None:
    copies = [change(image) for image in faces]
    pairs = near_duplicates(
        np.concatenate([pictures(faces), pictures(copies)]), np.concatenate([PEOPLE, PEOPLE + 5])
    )
    found = {(pair.first, pair.second): pair.how for pair in pairs}
    right = {(position, position + 15) for position in range(15)}
    assert found.keys() <= right
    assert len(found) >= 14
    assert {text.replace("270", "90") for text in found.values()} == {how}
