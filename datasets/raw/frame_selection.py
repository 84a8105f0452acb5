"""Selection of a sequence's frames and their roles, shared by the adapters of sequences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

from datasets.raw.choices import BadItems, Choices
from datasets.raw.image_key import record_key
from datasets.records import FrameRecord, Role
from platform.errors import UserError


def wanted_frames(
    sequence_id: str,
    frames: Sequence[int],
    by_rule: Sequence[int],
    neutral: int,
    choices: Choices,
    with_neutral: bool,
) -> list[tuple[int, Role]]:
    """(frame number, role) of the frames to take, sorted by frame.

    `frames`: all frames of the sequence, sorted. `by_rule`: those that the data set's rule takes, unless
    `choices.frames` names others. `neutral`: the neutral frame, taken if `with_neutral`. Raises UserError if
    the neutral frame is among the expressive ones.
    """
    expressive = (
        set(by_rule)
        if choices.frames is None
        else {frame for frame in frames if (sequence_id, frame) in choices.frames}
    )
    if neutral in expressive:
        raise UserError(
            f"frame {neutral} of {sequence_id} is its neutral face, but is wanted as an expressive one too; "
            "take it off the list, or restore the sequence's frames."
        )
    roles: dict[int, Role] = dict.fromkeys(expressive, "expressive")
    if with_neutral:
        roles[neutral] = "neutral"
    if choices.whole_sequences:
        roles = {frame: roles.get(frame, "context") for frame in frames}
    return sorted(roles.items())


def check_no_gap(
    folder: Path, frames: Collection[int], last: int, first: int, named: Collection[int] = ()
) -> None:
    """Raises UserError if `folder` lacks frames that decide which ones are taken.

    `frames`: the existing frame numbers. The `last` ones must be consecutive, and `first` and those `named`
    by a label must exist.
    """
    taken = sorted(frames)[-last:]
    missing = sorted({first, *named} - set(frames))
    missing += [below + 1 for below, above in pairwise(taken) if above > below + 1]
    if missing:
        raise UserError(
            f"{folder} lacks frames that its first and last ones are known by "
            f"({', '.join(map(str, missing))}; it has {len(frames)}, {min(frames)} to {max(frames)}); "
            "restore them."
        )


def check_all_found(choices: Choices, records: Sequence[FrameRecord], root: Path, bad: BadItems) -> None:
    """Raises UserError unless `records` hold every frame that `choices.frames` names; with `bad.skip` absent
    frames are left out instead, unless all are absent."""
    if choices.frames is None:
        return
    found = {record_key(record) for record in records if record.role == "expressive"}
    absent = sorted(choices.frames - found)
    if bad.skip and found:
        for sequence, frame in absent:
            bad.leave_out(f"{sequence}_{frame:08d}", "listed, but no labelled frame that can be used")
    elif absent:
        names = ", ".join(f"{sequence}_{frame:08d}" for sequence, frame in absent[:3])
        spelled = {record.sequence_id.casefold(): record.sequence_id for record in records}
        near = next((spelled[one.casefold()] for one, _ in absent if one.casefold() in spelled), None)
        hint = f" (did you mean {near}?)" if near and near not in {one for one, _ in absent} else ""
        raise UserError(
            f"{len(absent)} of the {len(choices.frames)} listed frames are not labelled frames of {root}, "
            f"the first being {names}{hint}; correct the list, or restore the frames."
        )
