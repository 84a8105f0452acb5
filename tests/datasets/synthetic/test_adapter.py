"""Adapters of the synthetic sets, and the numbers that make these sets a fair exercise."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from datasets import ckplus, mmi
from datasets.alignment.similarity import align, five_points_from_68, similarity_transform, template_points
from datasets.catalogue import undrawn_records
from datasets.raw.choices import Choices
from datasets.records import FrameRecord
from datasets.synthetic import adapter, adapter_mmi, adapter_wild
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
from platform.errors import UserError


@pytest.mark.parametrize(
    ("module", "native"), [(adapter, ckplus), (adapter_mmi, mmi), (adapter_wild, ckplus)]
)
def test_an_adapter_writes_its_set_once_and_reads_it_as_its_layout_is_read(
    module, native, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    name = module.DATASET.name
    small = dataclasses.replace(module.PARAMETERS, subjects=1, frames=4, size_pixels=48)
    monkeypatch.setattr(module, "PARAMETERS", small)
    root = tmp_path / name
    module.ensure_written(root)
    written = (root / "synthetic.json").stat().st_mtime_ns
    module.ensure_written(root)
    assert (root / "synthetic.json").stat().st_mtime_ns == written
    records = module.read_records(root)
    wanted = [record for record in native.read_records(root) if module is not adapter_wild or _shows(record)]
    assert [record.image_name for record in records] == [record.image_name for record in wanted]
    assert np.array_equal(module.read_frame(root, records[3]), native.read_frame(root, records[3]))
    assert all(record.landmarks is not None for record in records)
    assert module.DATASET.embedded
    for record in module.read_records(root, Choices(whole_sequences=True))[::3]:
        points = module.dense_landmarks(root, record)
        np.testing.assert_allclose(five_points_from_68(points), record.landmarks, atol=1e-4)


def test_dense_landmarks_need_a_set_that_is_whole_and_of_this_generator(tmp_path: Path) -> None:
    record = undrawn_records("synthetic_mmi")[0]
    with pytest.raises(UserError, match=r"synthetic\.json"):
        adapter_mmi.dense_landmarks(tmp_path, record)
    (tmp_path / "synthetic.json").write_text('{"generator_version": 1}')
    with pytest.raises(UserError, match="was drawn by version 1 of the generator"):
        adapter_mmi.dense_landmarks(tmp_path, record)


def _shows(record: FrameRecord) -> bool:
    """An expression: faces in the wild have no neutral partner."""
    return record.role == "expressive"


def test_the_sets_share_no_person() -> None:
    laboratory, wild = adapter.PARAMETERS, adapter_wild.PARAMETERS
    assert len({laboratory.seed, wild.seed, adapter_mmi.PARAMETERS.seed}) == 3
    assert not laboratory.in_the_wild
    assert wild.in_the_wild
    assert min(laboratory.subjects, wild.subjects) >= 20  # ten folds of two subjects and more


def _aligned(parameters: SetParameters, subject: int, sequence: int, frame: int) -> np.ndarray:
    """float64 (48, 48) gray aligned face."""
    picture, landmarks = draw_frame(parameters, subject, sequence, frame)
    transform = similarity_transform(five_points_from_68(landmarks), template_points(48))
    return align(picture, transform, 48).mean(axis=2)


def test_people_differ_more_than_expressions_and_expressions_are_there() -> None:
    """Shares of pixel variance over six people and seven apexes (docs/synthetic.md has the whole sets)."""
    parameters = dataclasses.replace(adapter.PARAMETERS, size_pixels=96)
    faces = np.array(
        [[_aligned(parameters, subject, sequence, 5) for sequence in range(7)] for subject in range(6)]
    )
    centre = faces.mean(axis=(0, 1))
    total = ((faces - centre) ** 2).sum()
    by_subject = 7 * ((faces.mean(axis=1) - centre) ** 2).sum() / total
    by_expression = 6 * ((faces.mean(axis=0) - centre) ** 2).sum() / total
    assert by_subject > 0.6
    assert 0.01 < by_expression < 0.5 * by_subject
