"""MMI in its native layout (docs/methods.md, §6): `Sessions/<id>/` with a clip and its XML.

Clips go from neutral over the apex back to neutral. The adapter selects the paper's frames: three around the
centre of each clip with one of the six labels, and one neutral face per subject, the first frame of its first
such clip. Frames are numbered from 0, as in FMPN's names. A frame is reduced to the upright frontal view:
datasets/mmi_views.py finds it, and users can override it. MMI has no landmarks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

from datasets.mmi_views import ORIENTATIONS, View, find_view, read_orientations
from datasets.raw.accounting import VIDEO_LIKE, Account, FileKind, Layout, account_for
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.clips import Clip
from datasets.raw.frame_selection import check_all_found, wanted_frames
from datasets.raw.sources import found_in, read_bytes, require_folder, source_path, visible_names
from datasets.raw.subject_names import check_spelling
from datasets.records import DatasetDescription, FrameRecord
from platform.errors import UserError

SESSIONS = "Sessions"

DATASET = DatasetDescription(
    name="mmi",
    title="MMI",
    request_from=(
        "MMI is requested at the MMI Facial Expression Database's site, https://mmifacedb.eu/, "
        "by signing its licence."
    ),
    native_layout=f"{SESSIONS}/<id>/S001-100.avi and {SESSIONS}/<id>/S001-100.xml",
    alignment_flag="--landmarks detect",
    course="there_and_back",
)

PAPER_IMAGE_COUNTS = {
    "anger": 99,
    "disgust": 96,
    "fear": 84,
    "happiness": 126,
    "sadness": 96,
    "surprise": 123,
}
"""Expressive images per class in the paper's experiments (docs/methods.md, §1): 208 clips. The paper gives no
rule for leaving out 5 of the 213 labelled clips; this adapter uses all readable ones."""

EXPRESSION_OF_CODE = {1: "anger", 2: "disgust", 3: "fear", 4: "happiness", 5: "sadness", 6: "surprise"}
"""Clips with other codes, or with none (action units only), are skipped."""

FEWEST_FRAMES = 4
"""Minimum length of a clip, so that the three central frames exclude the first, neutral one."""

LAYOUT = Layout(
    title=DATASET.title,
    tops=(SESSIONS,),
    top_names=(SESSIONS,),
    kinds=(
        FileKind(
            what="clip",
            folder=rf"{SESSIONS}/[^/]+",
            name=r"[^/]+\.avi",
            elsewhere=r"S\d+-\d+\.avi",
            example=f"{SESSIONS}/1/S001-100.avi",
            suspect=VIDEO_LIKE,
        ),
        FileKind(
            what="label",
            folder=rf"{SESSIONS}/[^/]+",
            name=r"S\d+-\d+\.xml",
            elsewhere=r"S\d+-\d+\.xml",
            example=f"{SESSIONS}/1/S001-100.xml",
            suspect=r"^S\d.*xml|\.xml.",
        ),
    ),
    # Photographs, action units per frame, sound.
    beside=(
        rf"{SESSIONS}/[^/]+/(session\.xml|S\d+-\d+[-_][a-z_-]+\.xml|S\d+-\d+\.(jpe?g|png|bmp|tiff?|wav|mp3))",
    ),
    keep=("clip", "label"),
)

_STILL = re.compile(r"\.(jpe?g|png|bmp|tiff?)$", re.IGNORECASE)
_CLIP_NAME = re.compile(r"^(?P<subject>S\d+)-(?P<number>\d+)\.avi$", re.IGNORECASE)


ALSO_DECIDES = (ORIENTATIONS,)
"""Further files that affect which frames and views are used."""


def label_codes(root: Path) -> Counter[str]:
    """Number of clips per emotion code, as written in their XML; `none` for clips without one."""
    return Counter(", ".join(sorted(_emotion_codes(root, source))) or "none" for source in _clip_files(root))


def inspection_notes(root: Path) -> list[str]:
    """The view used of each labelled clip, for the inspection of the folder."""
    views = Counter(str(view_of(root, source)) for source in _clip_files(root) if _expression(root, source))
    return [f"view: {view}: {count} clips" for view, count in views.most_common()]


def recognises(root: Path) -> bool:
    """Whether `root` has MMI's layout, judged by its folders and a few file names."""
    return (root / "Sessions").is_dir()


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """Three expressive frames per labelled clip and one neutral frame per subject; no landmarks.

    Raises UserError that names the invalid clip or file and the remedy; `bad` may leave clips out instead.
    """
    choices.refuse(DATASET.title, "per_class", "draw_seed")
    bad = bad or BadItems()
    _check_layout(root)
    account = account_for(root, LAYOUT, bad)
    orientations = read_orientations(root)
    clips = list(_clip_files(root))
    _check_orientations(root, orientations, clips)
    records: list[FrameRecord] = []
    source_of: dict[str, str] = {}
    subjects: set[str] = set()
    labelled = _labelled_clips(root, clips, bad)
    _check_clips_there(root, account, bad)
    for sequence, source, expression in labelled:
        with bad.guard(source):
            if sequence in source_of:
                raise UserError(
                    f"the clip {sequence} lies in two session folders, {root / source_of[sequence]} and "
                    f"{root / source}; keep one."
                )
            source_of[sequence] = source
            subject = sequence.split("_")[0]
            records += _clip_records(
                root, sequence, source, expression, orientations, choices, subject not in subjects
            )
            subjects.add(subject)
    check_all_found(choices, records, root, bad)
    return records


def _check_clips_there(root: Path, account: Account, bad: BadItems) -> None:
    """Raises UserError if labels with one of the six emotions have no clip, with their number."""
    there = {_without_ending(clip) for clip in account.kept["clip"]}
    labels = [label for label in account.kept["label"] if _without_ending(label) not in there]
    absent = []
    for label in labels:
        with bad.guard(label):
            if not _is_of_a_still(root, label) and _expression(root, label) is not None:
                absent.append(label)
    if absent:
        bad.leave_out_all(
            [(label, "it labels a clip that is missing") for label in absent],
            f"{len(absent)} of {len(account.kept['label'])} labels in {root / SESSIONS} are of clips that "
            f"are missing, the first being {absent[0]}; restore the clips (*.avi), or move the labels away",
        )


def _without_ending(source: str) -> str:
    return str(PurePosixPath(source).with_suffix("")).upper()


def _is_of_a_still(root: Path, label: str) -> bool:
    """Whether `label` belongs to a photograph; MMI contains some, and the adapter skips them."""
    names = visible_names((root / label).parent)
    return any(PurePosixPath(label).stem == Path(name).stem and _STILL.search(name) for name in names)


def _labelled_clips(root: Path, clips: list[str], bad: BadItems) -> list[tuple[str, str, str]]:
    """(sequence, source, expression) of the clips with one of the six labels, sorted."""
    labelled = []
    spellings = set()
    for source in clips:
        with bad.guard(source):
            sequence, expression = _sequence_id(root, source), _expression(root, source)
            if expression is not None:
                labelled.append((sequence.upper(), source, expression))
                spellings.add(sequence.split("_")[0])
    if not labelled and not bad.left_out:
        raise UserError(
            f"{root / SESSIONS} holds no clip (*.avi) whose XML carries one of the emotion codes 1 to 6; "
            "download MMI's sessions with the six basic emotions there."
        )
    check_spelling(spellings, root / SESSIONS)
    return sorted(labelled)


def _clip_records(
    root: Path,
    sequence: str,
    source: str,
    expression: str,
    orientations: dict[str, View],
    choices: Choices,
    with_neutral: bool,
) -> list[FrameRecord]:
    """The selected frames of one labelled clip, in order; also checks that its view can be found."""
    clip = Clip(source_path(root, source))
    try:
        count = clip.count()
        if count < FEWEST_FRAMES:
            raise UserError(
                f"the clip {root / source} has {count} frames, but {FEWEST_FRAMES} are needed; restore it."
            )
        find_view(clip, Path(source).stem, orientations)
    finally:
        clip.close()
    centre = count // 2
    wanted = wanted_frames(sequence, range(count), (centre - 1, centre, centre + 1), 0, choices, with_neutral)
    return [
        FrameRecord(
            subject_id=sequence.split("_")[0],
            sequence_id=sequence,
            frame=frame,
            expression="neutral" if role == "neutral" else expression,
            role=role,
            source=source,
            landmarks=None,
        )
        for frame, role in wanted
    ]


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The frontal view in frame `record.frame` of its clip, upright; uint8 (H, W, 3), RGB."""
    clip, view = _open(root, record.source)
    return view.apply(clip.read(record.frame))


def view_of(root: Path, source: str) -> View:
    """The part of the clip's frames to use, its rotation, and the rule that decided."""
    return _open(root, source)[1]


def _open(root: Path, source: str) -> tuple[Clip, View]:
    path, orientations = source_path(root, source), root / ORIENTATIONS
    stamps = [
        (state.st_size, state.st_mtime_ns)
        for state in (file.stat() for file in (path, orientations) if file.exists())
    ]
    return _open_once(root, source, *stamps)


@lru_cache(maxsize=1)
def _open_once(root: Path, source: str, *stamps: tuple[int, int]) -> tuple[Clip, View]:
    """The clip and its view; the last clip stays open because its frames are read one after the other."""
    clip = Clip(source_path(root, source))
    return clip, find_view(clip, Path(source).stem, read_orientations(root))


def _check_layout(root: Path) -> None:
    require_folder(root)
    if not (root / SESSIONS).is_dir():
        inside = [name for name in visible_names(root) if (root / name / SESSIONS).is_dir()]
        remedy = (
            f"pass --source {root / inside[0]}"
            if inside
            else f"pass --source the folder that holds {SESSIONS}"
        )
        raise UserError(
            f"{root} is not a folder in MMI's layout: expected {SESSIONS}/, found {found_in(root)}; {remedy}."
        )


def _clip_files(root: Path) -> Iterator[str]:
    """Paths of all clips, relative to `root`."""
    for session in visible_names(root / SESSIONS):
        if (root / SESSIONS / session).is_dir():
            for name in visible_names(root / SESSIONS / session):
                if name.lower().endswith(".avi"):
                    yield f"{SESSIONS}/{session}/{name}"


def _check_orientations(root: Path, orientations: dict[str, View], clips: list[str]) -> None:
    """Raises UserError for a line without a clip, which would silently have no effect."""
    names = {Path(source).stem.upper() for source in clips}
    unknown = sorted(set(orientations) - names - {name.split("-")[0] for name in names})
    if unknown:
        raise UserError(
            f"{root / ORIENTATIONS} speaks of {', '.join(unknown[:3])}, but {root / SESSIONS} holds no such "
            "clip or subject; correct or remove that line."
        )


def _sequence_id(root: Path, source: str) -> str:
    """`S001_100` of `Sessions/1/S001-100.avi`, with the subject as spelled there."""
    match = _CLIP_NAME.match(Path(source).name)
    if match is None:
        raise UserError(
            f"the clip {root / source} is not named like S001-100.avi; rename it or move it away."
        )
    return f"{match['subject']}_{match['number']}"


def _expression(root: Path, source: str) -> str | None:
    """The expression in the XML beside `source`, or in `source` if it is an XML; None if not one of six."""
    codes = _emotion_codes(root, source)
    path = root / _label_file(root, source)
    if len(codes) > 1:
        raise UserError(
            f"{path} names conflicting emotions ({', '.join(sorted(codes))}); keep the right Metatag."
        )
    for code in codes:
        if not code.isdecimal():
            raise UserError(
                f"{path} names the emotion {code!r}, not a number; "
                f"1 to 6 are {', '.join(EXPRESSION_OF_CODE.values())}."
            )
        return EXPRESSION_OF_CODE.get(int(code))
    return None


def _label_file(root: Path, source: str) -> str:
    """The XML beside the clip `source`, relative to `root`; its extension may be in upper case."""
    folder, stem = str(PurePosixPath(source).parent), PurePosixPath(source).stem
    wanted = f"{stem}.xml"
    names = [name for name in visible_names(root / folder) if name.lower() == wanted.lower()]
    if not names:
        raise UserError(f"the clip {root / source} lacks its labels, {wanted} beside it; restore that file.")
    if len(names) > 1:
        raise UserError(f"{root / folder} holds both {names[0]} and {names[1]}; keep the right one.")
    return f"{folder}/{names[0]}"


def _emotion_codes(root: Path, source: str) -> set[str]:
    """Values of all Metatags named Emotion in the XML beside the clip."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    xml = _label_file(root, source)
    path = source_path(root, xml)
    try:
        tree = fromstring(read_bytes(path))  # bytes, because the file declares its encoding
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise UserError(
            f"{path} is not well-formed XML ({error}); restore it from your copy of MMI."
        ) from error
    return {
        (element.get("Value") or "").strip()
        for element in tree.iter()
        if str(element.tag).rpartition("}")[2] == "Metatag" and element.get("Name") == "Emotion"
    }
