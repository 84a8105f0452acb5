"""The library face-alignment as a Detector: its networks, its weights, and instructions if they are missing.

Written for face-alignment 1.5. `compile` stays off, because it writes into the user's home directory and
needs a C++ compiler.
"""

from __future__ import annotations

import warnings
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.parse import urlparse

import numpy as np

from datasets.alignment.landmark_detection import DetectedFace
from platform.errors import UserError, unknown_name
from platform.host.machine_limits import usable_cpus

DETECTORS = ("sfd", "blazeface", "retinaface", "yunet")
"""Face detectors of face-alignment that need no further package. `sfd` is the most accurate and the slowest;
`blazeface` is fast and made for faces that fill the image; `yunet` runs on the CPU only."""

DEVICES = ("cpu", "cuda", "mps")


class FaceAlignmentDetector:
    """Faces from one of DETECTORS, 68 points from the network 2DFAN-4. Networks are built at first use."""

    def __init__(self, detector_name: str = "sfd", device: str = "cpu") -> None:
        if detector_name not in DETECTORS:
            raise unknown_name("face detector", detector_name, DETECTORS)
        if device.split(":")[0] not in DEVICES:
            raise unknown_name("device", device, DEVICES)
        self.name = f"face-alignment-{version('face-alignment')}-{detector_name}"
        self._detector_name = detector_name
        self._device = device
        self._network: Any = None

    def detect(self, images: list[np.ndarray]) -> list[list[DetectedFace]]:
        """The faces in each of `images`, uint8 (H, W, 3), RGB; images of equal size form a batch.

        Raises UserError if weights are missing or the device cannot be used.
        """
        import torch

        if self._network is None:
            # torch counts the machine's cores and ignores a container's quota.
            torch.set_num_threads(min(torch.get_num_threads(), usable_cpus()))
            self._network = self._build()
        positions_of: dict[tuple[int, ...], list[int]] = {}
        for position, image in enumerate(images):
            positions_of.setdefault(image.shape, []).append(position)
        faces: list[list[DetectedFace]] = [[] for _ in images]
        for positions in positions_of.values():
            stacked = np.stack([images[position] for position in positions]).transpose(0, 3, 1, 2)
            batch = torch.from_numpy(np.ascontiguousarray(stacked))
            for position, found in zip(positions, self._detect_batch(batch), strict=True):
                faces[position] = found
        return faces

    def _detect_batch(self, batch: Any) -> list[list[DetectedFace]]:
        """The faces in each image of `batch`, a uint8 tensor (B, 3, H, W)."""
        with warnings.catch_warnings():
            # The library warns about every image without a face; our report lists them instead.
            warnings.filterwarnings("ignore", "No faces were detected")
            boxes = self._network.face_detector.detect_from_batch(batch)
            landmarks = self._network.get_landmarks_from_batch(batch, detected_faces=boxes)
        return [
            [
                DetectedFace(points=points, score=float(box[4]))
                for points, box in zip(
                    np.asarray(found, dtype=np.float64).reshape(-1, 68, 2), image_boxes, strict=True
                )
            ]
            for found, image_boxes in zip(landmarks, boxes, strict=True)
        ]

    def _build(self) -> Any:
        """The library's object, with weights from its folder or just downloaded."""
        from face_alignment import FaceAlignment, LandmarksType

        paths = fetch_weights(self._detector_name)
        options: dict[str, str] = {"path_to_detector": str(paths[1])}
        if self._detector_name == "blazeface":
            options["path_to_anchor"] = str(paths[2])
        try:
            # With paths, because the library's own loading unpickles sfd's file without restriction.
            return FaceAlignment(
                LandmarksType.TWO_D,
                device="cpu" if self._detector_name == "yunet" else self._device,
                face_detector=self._detector_name,
                face_detector_kwargs=options,
                compile=False,
                max_batch_size=16,
            )
        except (
            RuntimeError,
            AssertionError,
            ValueError,
            KeyError,
            OSError,
            EOFError,
            UnpicklingError,
        ) as error:
            why = str(error).strip().split("\n")[0]
            raise UserError(
                f"face-alignment with {self._detector_name!r} cannot start on {self._device!r}: {why}; "
                f"choose another device, or, if weights are damaged, delete {', '.join(map(str, paths))} and "
                "fetch them again."
            ) from error


def weight_files(detector_name: str) -> list[tuple[str, str]]:
    """(URL, file name) of the weights needed, from the library: first those of the points, then those of the
    detector."""
    from face_alignment import api

    urls = [api.models_urls["2DFAN-4"]]
    if detector_name == "sfd":
        from face_alignment.detection.sfd import sfd_detector

        urls.append(sfd_detector.models_urls["s3fd"])
    elif detector_name == "blazeface":
        from face_alignment.detection.blazeface import blazeface_detector

        urls += [blazeface_detector.models_urls[f"blazeface_{part}"] for part in ("weights", "anchors")]
    elif detector_name == "retinaface":
        from face_alignment.detection.retinaface import retinaface_detector

        urls.append(retinaface_detector.models_urls["retinaface_mobilenet0.25"])
    else:
        from face_alignment.detection.yunet import yunet_detector

        urls.append(yunet_detector.model_url)
    return [(url, Path(urlparse(url).path).name) for url in urls]


def fetch_weights(detector_name: str) -> list[Path]:
    """Paths of the weights, in the order of `weight_files`; missing files are downloaded.

    Raises UserError, with file, URL and folder, for weights that can be neither found nor downloaded.
    """
    from face_alignment import utils

    folder = Path(utils.get_dir()) / "checkpoints"
    paths, absent, reason = [], [], ""
    for url, name in weight_files(detector_name):
        paths.append(folder / name)
        if paths[-1].is_file():
            continue
        try:
            utils.load_file_from_url(url, model_dir=str(folder), file_name=name, check_hash=True)
        except (OSError, HTTPException, RuntimeError) as error:
            absent.append(f"{name} from {url}")
            reason = str(error)
    if absent:
        raise UserError(
            f"face-alignment needs weights that are not in {folder} and cannot be downloaded ({reason}): "
            f"{'; '.join(absent)}. Download them on a machine with network access and copy them to that "
            "folder under these names (TORCH_HOME moves it), or pass points with --landmarks CSV."
        )
    return paths
