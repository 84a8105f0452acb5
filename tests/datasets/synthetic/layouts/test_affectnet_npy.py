"""AffectNet's newer layout is written as documented: numbered images, four small arrays each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import affectnet_npy
from tests.layout_trees import contents, set_parameters, write_layout

PARAMETERS = set_parameters(subjects=2)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layout(affectnet_npy, tmp_path_factory.mktemp("sets") / "affectnet_npy", PARAMETERS)


def test_both_folders_number_their_images_from_0_without_a_gap(written: Path) -> None:
    for subset, count in (("train_set", 52), ("val_set", 4)):
        numbers = sorted(int(path.stem) for path in (written / subset / "images").glob("*.jpg"))
        assert numbers == list(range(count))
        names = sorted(path.name for path in (written / subset / "annotations").iterdir())
        assert names == sorted(
            f"{number}_{kind}.npy" for number in numbers for kind in ("exp", "val", "aro", "lnd")
        )


def test_codes_are_text_in_one_folder_and_numbers_in_the_other(written: Path) -> None:
    codes: Counter[int] = Counter()
    for subset, kind in (("train_set", "U"), ("val_set", "i")):
        for path in (written / subset / "annotations").glob("*_exp.npy"):
            value = np.load(path, allow_pickle=False)
            assert value.shape == ()
            assert value.dtype.kind == kind
            codes[int(value)] += 1
    assert codes == {0: 14, **dict.fromkeys(range(1, 8), 6)}


def test_landmarks_are_the_drawn_ones(written: Path) -> None:
    # The tenth sequence is the first of val_set: the second subject's third, disgust.
    stored = np.load(written / "val_set/annotations/1_lnd.npy", allow_pickle=False)
    np.testing.assert_array_equal(stored.reshape(68, 2), draw_frame(PARAMETERS, 1, 2, 1)[1])
    assert int(np.load(written / "val_set/annotations/1_exp.npy", allow_pickle=False)) == 5


def test_the_same_bytes_twice(written: Path, tmp_path: Path) -> None:
    assert contents(write_layout(affectnet_npy, tmp_path, PARAMETERS)) == contents(written)
