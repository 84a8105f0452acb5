"""Matching of the lines of a landmark file to images of a data set: by path, by frame, by file name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from datasets.raw.choices import BadItems
from datasets.raw.image_key import EXTENSION, ImageKey, listed_key, record_key
from datasets.raw.landmarks import LandmarkFile, ListedPoints
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.names import composed

SHOWN = 3
NO_FACE = "the landmark file lists it without a face"
NOT_LISTED = "the landmark file does not list it"


class _Images:
    """The wanted images, found by the names that a file may give them. Extensions are ignored: a file may
    list `a.jpg` for an image that was converted to `a.png`."""

    def __init__(self, records: Sequence[FrameRecord]) -> None:
        self._of_key: dict[ImageKey, FrameRecord] = {record_key(record): record for record in records}
        self._of_file_name: dict[str, list[tuple[tuple[str, ...], FrameRecord]]] = defaultdict(list)
        for record in records:
            folders, name = _folders_and_name(composed(record.source))
            self._of_file_name[name].append((folders, record))

    def find(self, listed: str) -> FrameRecord | None:
        """The image that `listed` refers to; None if it is not wanted.

        A path takes precedence over a frame's name, and that over a bare file name. Raises UserError for a
        file name that several wanted images share.
        """
        folders, name = _folders_and_name(listed)
        same_name = self._of_file_name.get(name, [])
        if folders:
            on_path = [record for other, record in same_name if _one_ends_with_other(folders, other)]
            if len(on_path) == 1:
                return on_path[0]
        if (record := self._of_key.get(listed_key(listed))) is not None:
            return record
        if len(same_name) > 1:
            paths = " and ".join(record.source for _, record in same_name[:2])
            raise UserError(
                f"{listed} may be {paths}; write paths relative to the data set's folder instead."
            )
        return same_name[0][1] if same_name else None


def _folders_and_name(path: str) -> tuple[tuple[str, ...], str]:
    """The folders of a path, and its file name without an image extension."""
    parts = PurePosixPath(path).parts
    return parts[:-1], EXTENSION.sub("", parts[-1]) if parts else ""


def _one_ends_with_other(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shared = min(len(one), len(other))
    return shared > 0 and one[-shared:] == other[-shared:]


def match_landmarks(records: Sequence[FrameRecord], file: LandmarkFile) -> dict[str, ListedPoints]:
    """The entry of `file` for each of `records`, by image name; images that it does not list are absent.

    Raises UserError, with the lines, if two lines match one image or one line may match two.
    """
    images = _Images(records)
    found: dict[str, ListedPoints] = {}
    for listed, points in file.images.items():
        try:
            record = images.find(listed)
        except UserError as error:
            raise UserError(f"{file.path.parent / points.where}: {error}") from error
        if record is None:
            continue
        if record.image_name in found:
            raise UserError(
                f"{file.path} lists {record.source} twice ({found[record.image_name].where}, and "
                f"{points.where}); keep one."
            )
        found[record.image_name] = points
    return found


def attach_landmarks(
    records: Sequence[FrameRecord],
    file: LandmarkFile,
    bad: BadItems | None = None,
    allow_missing: int = 0,
) -> list[FrameRecord]:
    """`records` with their landmarks from `file`; further images in the file are ignored.

    Records that are not listed, or listed without a face, are left out if there are at most `allow_missing`
    of them or if `bad` (None: strict) skips. Otherwise, or if all records would be left out, raises UserError
    with their number and the first names.
    """
    bad = bad or BadItems()
    matched = match_landmarks(records, file)
    lacking = [
        (record, NO_FACE if record.image_name in matched else NOT_LISTED)
        for record in records
        if (listed := matched.get(record.image_name)) is None or listed.points is None
    ]
    if lacking and (len(lacking) == len(records) or not (bad.skip or len(lacking) <= allow_missing)):
        raise _lacks(lacking, records, file)
    for record, why in lacking:
        bad.leave_out(record.image_name, why)
    return [
        replace(record, landmarks=listed.points)
        for record in records
        if (listed := matched.get(record.image_name)) is not None and listed.points is not None
    ]


def _lacks(
    lacking: Sequence[tuple[FrameRecord, str]], records: Sequence[FrameRecord], file: LandmarkFile
) -> UserError:
    names = ", ".join(record.image_name for record, _ in lacking[:SHOWN])
    without_face = sum(why == NO_FACE for _, why in lacking)
    told = f"{len(lacking)} of the {len(records)} frames wanted"
    if without_face:
        told += f" ({without_face} of them are listed without a face)"
    hint = "".join(f"; it lists {near}: use the data set's spelling" for near in _near(lacking, file.images))
    way_on = f"add a line for each, or pass --allow-missing {len(lacking)} to leave them out"
    if len(lacking) == len(records):
        way_on = "name the images by file name, or by path relative to the data set's folder"
    return UserError(f"{file.path} lacks {told}, the first being {names}{hint}; {way_on}.")


def _near(lacking: Sequence[tuple[FrameRecord, str]], images: Mapping[str, ListedPoints]) -> Iterator[str]:
    """A listed name that differs from that of a lacking image in case only, if any."""
    wanted = {_folders_and_name(record.source)[1].casefold() for record, why in lacking if why == NOT_LISTED}
    wanted |= {record.sequence_id.casefold() for record, why in lacking if why == NOT_LISTED}
    for listed in images:
        if wanted & {_folders_and_name(listed)[1].casefold(), listed_key(listed)[0].casefold()}:
            yield listed
            return


def several_faces(records: Sequence[FrameRecord], file: LandmarkFile) -> list[str]:
    """The sorted image names of those `records` for which `file` reports more than one face."""
    matched = match_landmarks(records, file)
    return sorted(name for name, listed in matched.items() if listed.has_several_faces)
