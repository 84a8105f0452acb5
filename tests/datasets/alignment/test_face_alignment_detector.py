"""The real library and the real architectures, with weights that were never trained."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from datasets.alignment.face_alignment_detector import DETECTORS, FaceAlignmentDetector, weight_files
from platform.errors import UserError

BOX_SIDE = 0.5
"""Of the shorter side of the image: what the untrained detector says of every image, at its centre."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TORCH_HOME with untrained weights: one face of BOX_SIDE in every image, points at random."""
    import torch
    from face_alignment.detection.blazeface.net_blazeface import BlazeFace
    from face_alignment.models import FAN

    folder = tmp_path_factory.mktemp("torch") / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    paths = [folder / name for _, name in weight_files("blazeface")]
    torch.manual_seed(0)
    torch.save(FAN(1).state_dict(), paths[0])
    net = BlazeFace()
    with torch.no_grad():
        for part in (net.regressor_8, net.regressor_16, net.classifier_8, net.classifier_16):
            part.weight.zero_()
            part.bias.fill_(0.0)
        for regressor in (net.regressor_8, net.regressor_16):
            regressor.bias.view(-1, 16)[:, 2:4] = net.w_scale  # as wide and high as the anchor
        net.classifier_8.bias.fill_(-100.0)
        net.classifier_16.bias.fill_(5.0)
    torch.save(net.state_dict(), paths[1])
    anchors = np.array([0.5, 0.5, BOX_SIDE, BOX_SIDE], dtype=np.float32)
    with paths[2].open("wb") as file:
        np.save(file, np.tile(anchors, (896, 1)))
    return folder.parent.parent


@pytest.fixture
def quick_library(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hourglass of the points' network instead of four, and its compiled functions as plain ones."""
    from face_alignment import api, utils

    monkeypatch.setenv("TORCH_HOME", str(weights))
    whole = api.FAN
    monkeypatch.setattr(api, "FAN", lambda hourglasses: whole(1))
    for name in ("transform_np", "_get_preds_fromhm"):
        monkeypatch.setattr(utils, name, getattr(utils, name).py_func)


def images() -> list[np.ndarray]:
    """Two sizes, of which one twice."""
    draw = np.random.default_rng(3)
    shapes = ((140, 160, 3), (120, 120, 3), (140, 160, 3))
    return [draw.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]


@pytest.mark.usefixtures("quick_library")
def test_a_batch_of_several_sizes_gives_what_single_images_give() -> None:
    detector = FaceAlignmentDetector("blazeface", "cpu")
    batch = detector.detect(images())
    assert [len(faces) for faces in batch] == [1, 1, 1]
    for image, (face,) in zip(images(), batch, strict=True):
        assert (face.points.shape, face.points.dtype) == ((68, 2), np.float64)
        assert face.score == pytest.approx(1 / (1 + np.exp(-5.0)), abs=1e-4)
        # The library looks for points in a square around the box, 200 / 195 times its two sides' sum.
        height, width = image.shape[:2]
        reach = 100 * 2 * BOX_SIDE * min(height, width) / 195 + 3
        offset = face.points - (width / 2, height / 2 - 0.12 * BOX_SIDE * min(height, width))
        assert np.abs(offset).max() <= reach
    (alone,) = detector.detect(images()[1:2])
    np.testing.assert_array_equal(alone[0].points, batch[1][0].points)

    detector._network.face_detector.face_detector.classifier_16.bias.data.fill_(-100.0)
    assert detector.detect(images()) == [[], [], []]


@pytest.mark.parametrize("name", DETECTORS)
def test_missing_weights_are_named_with_their_urls_and_their_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from face_alignment import utils

    def no_network(*arguments: object, **options: object) -> None:
        raise URLError("no network here")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(utils, "download_url_to_file", no_network)
    with pytest.raises(UserError, match="no network here") as caught:
        FaceAlignmentDetector(name).detect(images()[:1])
    message = str(caught.value)
    assert str(tmp_path / "hub" / "checkpoints") in message
    for url, file_name in weight_files(name):
        assert f"{file_name} from {url}" in message
        assert re.fullmatch(r"[\w.-]+", file_name)
    assert len(weight_files(name)) == (3 if name == "blazeface" else 2)


def test_damaged_weights_are_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    for _, name in weight_files("blazeface"):
        (folder / name).write_bytes(b"not weights")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"cannot start on 'cpu'.*blazeface\.pth.*fetch them again"):
        FaceAlignmentDetector("blazeface").detect(images()[:1])


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="unknown face detector 'sdf'; did you mean 'sfd'"):
        FaceAlignmentDetector("sdf")
    with pytest.raises(UserError, match=r"unknown device 'gpu'.*cpu, cuda, mps"):
        FaceAlignmentDetector("sfd", "gpu")
