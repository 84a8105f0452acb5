"""The records of a set that is not drawn are those of the drawn one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from datasets import ckplus, mmi
from datasets.catalogue import dataset_names, describe, load_adapter, undrawn_records
from datasets.raw.choices import Choices
from datasets.records import FrameRecord
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.set_writer import write_set
from datasets.synthetic.undrawn import ckplus_records, mmi_records

EMBEDDED = [name for name in dataset_names() if describe(name).embedded]


def facts(records: list[FrameRecord]) -> list[tuple[str, str, int, str, str]]:
    return sorted((r.subject_id, r.sequence_id, r.frame, r.expression, r.role) for r in records)


@pytest.mark.parametrize(
    ("layout", "read", "expected"),
    [("ckplus", ckplus.read_records, ckplus_records), ("mmi", mmi.read_records, mmi_records)],
)
def test_they_are_those_of_the_drawn_set(
    layout: str,
    read: Callable[[Path, Choices], list[FrameRecord]],
    expected: Callable[[SetParameters, Choices], list[FrameRecord]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Five subjects: one of them has an unlabelled sequence, and MMI's are filmed in all four ways."""
    parameters = SetParameters(subjects=5, frames=4, difficulty=0.5, seed=3, size_pixels=48)
    face = draw_frame(parameters, 0, 0, 0)
    monkeypatch.setattr(f"datasets.synthetic.layouts.{layout}.draw_frame", lambda *place: face)
    write_set(tmp_path / "set", parameters, layout=layout)
    for choices in (Choices(), Choices(whole_sequences=True)):
        assert facts(expected(parameters, choices)) == facts(read(tmp_path / "set", choices))


@pytest.mark.parametrize("name", EMBEDDED)
def test_every_embedded_set_has_them(name: str) -> None:
    records = undrawn_records(name)
    assert len({record.subject_id for record in records}) == load_adapter(name).PARAMETERS.subjects  # type: ignore[attr-defined]
    assert len({record.image_name for record in records}) == len(records)
    assert ("neutral" in {record.role for record in records}) == (name != "synthetic_wild")
