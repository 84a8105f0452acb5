"""Records of an embedded set, computed without drawing a face, for dry runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from datasets import ckplus, mmi
from datasets.raw.choices import ALL_BY_THE_RULE, Choices
from datasets.raw.frame_selection import wanted_frames
from datasets.records import FrameRecord
from datasets.synthetic.layouts import ckplus as ckplus_layout
from datasets.synthetic.layouts import mmi as mmi_layout
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS


def ckplus_records(parameters: SetParameters, choices: Choices = ALL_BY_THE_RULE) -> list[FrameRecord]:
    """As `datasets.ckplus.read_records` for the set in CK+'s layout, without sources and landmarks."""
    frames = range(1, parameters.frames + 1)
    return _records(
        parameters,
        lambda subject: ckplus_layout.subject_name(parameters, subject),
        lambda sequence: f"{sequence + 1:03d}",
        EXPRESSIONS,
        frames,
        frames[-ckplus.EXPRESSIVE_FRAMES :],
        choices,
    )


def mmi_records(parameters: SetParameters, choices: Choices = ALL_BY_THE_RULE) -> list[FrameRecord]:
    """As `datasets.mmi.read_records` for the set in MMI's layout, without sources and landmarks."""
    frames = range(2 * parameters.frames - 1)
    apex = len(frames) // 2
    return _records(
        parameters,
        lambda subject: mmi_layout.subject_name(parameters, subject),
        lambda sequence: str(sequence + 100),
        tuple(mmi.EXPRESSION_OF_CODE.values()),
        frames,
        (apex - 1, apex, apex + 1),
        choices,
    )


def _records(
    parameters: SetParameters,
    subject_name: Callable[[int], str],
    sequence_name: Callable[[int], str],
    labelled: Sequence[str],
    frames: Sequence[int],
    expressive: Sequence[int],
    choices: Choices,
) -> list[FrameRecord]:
    """The expressive frames of every sequence that shows one of `labelled`, one neutral frame per subject,
    and the additions of `choices`."""
    records = []
    for subject in range(parameters.subjects):
        person = subject_name(subject)
        with_neutral = True
        for number, expression in enumerate(EXPRESSIONS):
            if expression not in labelled:
                continue
            sequence = f"{person}_{sequence_name(number)}"
            wanted = wanted_frames(sequence, frames, expressive, frames[0], choices, with_neutral)
            with_neutral = False
            records += [
                FrameRecord(
                    subject_id=person,
                    sequence_id=sequence,
                    frame=frame,
                    expression="neutral" if role == "neutral" else expression,
                    role=role,
                    source="",
                    landmarks=None,
                )
                for frame, role in wanted
            ]
    return records
