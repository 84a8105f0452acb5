"""FMPN's own layout of CK+ or MMI (docs/methods.md, §6): face crops, released lists, labels and motion masks.

The expressive frames are those in the test lists. FMPN's release contains lists, labels and masks of both
data sets, but no images: users copy their own crops into `imgs`. The label codes identify the data set; this
adapter returns class names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from datasets.fold_lists.read import read_fold_lists
from datasets.raw.accounting import IMAGE_LIKE, FileKind, Layout, account_for
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.fmpn_labels import EXPRESSION_OF_CODE, LABELS, UNLABELLED, read_codes
from datasets.raw.frame_selection import check_all_found, wanted_frames
from datasets.raw.image_key import image_key
from datasets.raw.sources import found_in, read_image, require_folder, source_path, visible_names
from datasets.raw.subject_names import check_spelling
from datasets.records import DatasetDescription, FrameRecord
from platform.errors import UserError

IMAGES, MASKS = "imgs", "imgs_res"

DATASET = DatasetDescription(
    name="fmpn_release",
    title="FMPN's release",
    request_from=(
        "FMPN's lists, labels and masks are released at https://github.com/donydchen/FMPN-FER; "
        "the images are requested as those of CK+ or MMI."
    ),
    native_layout=(
        f"{IMAGES}/S005_001_00000009.png, train_ids_0.csv, test_ids_0.csv, {LABELS} "
        f"and perhaps {MASKS}/0/0.png"
    ),
    alignment_flag="--aligned",
    released_crops=True,
    no_sequences="it holds the first and the last frames of each sequence, and none between",
    same_people_as=("ckplus", "mmi"),
)

LAYOUT = Layout(
    title=DATASET.title,
    tops=(IMAGES, MASKS),
    top_names=(IMAGES, MASKS),
    kinds=(
        FileKind(
            what="image",
            folder=IMAGES,
            name=r"[^/]+_\d+\.png",
            example=f"{IMAGES}/S005_001_00000009.png",
            suspect=IMAGE_LIKE,
            elsewhere=r"S\d+_\d+_\d+\.png",
        ),
        FileKind(
            what="mask",
            folder=rf"{MASKS}/\d+",
            name=r"\d+\.png",
            example=f"{MASKS}/0/0.png",
            suspect=IMAGE_LIKE,
        ),
        FileKind(
            what="list",
            folder="",
            name=r"(train|test)_ids_\d+\.csv",
            example="test_ids_0.csv",
            suspect=r"^(train|test)[-_ ]*ids?[-_ ]*\d",
        ),
        FileKind(
            what="label file",
            folder="",
            name=re.escape(LABELS),
            example=LABELS,
            suspect=r"^emotion[-_ ]?labels?\b.*\.(pkl|pickle|p)$",
        ),
    ),
    beside=(r"bbox_landmark_mtcnn\.pkl", r".*\.py"),
)

FIRST_FRAMES = (0, 1)
"""Number of a sequence's first frame: 1 in CK+, 0 in MMI. No other frame counts as neutral."""


def label_codes(root: Path) -> Counter[str]:
    """Number of sequences per label code."""
    return Counter(str(code) for code in read_codes(source_path(root, LABELS)).values())


def recognises(root: Path) -> bool:
    """Whether `root` has the layout of FMPN's release, judged by its folders and a few file names."""
    return (root / "imgs").is_dir() and any(True for _ in root.glob("t*_ids_*.csv"))


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """The expressive frames of all test lists and one neutral face per subject; no landmarks (crops are
    prepared with --aligned).

    A neutral face is a sequence's first frame that is in `imgs` and in no list. Raises UserError that names
    the invalid file; `bad` may leave images out instead.
    """
    choices.refuse(DATASET.title, "per_class", "draw_seed")
    bad = bad or BadItems()
    _check_layout(root)
    account_for(root, LAYOUT, bad)
    codes = read_codes(source_path(root, LABELS))
    expressions = _expressions_by_code(codes, root / LABELS)
    present = _present_images(root)
    listed = _listed_frames(root, codes, expressions, present, bad)
    check_spelling({_subject(sequence) for sequence in listed}, root)
    records: list[FrameRecord] = []
    subjects: set[str] = set()
    for sequence, listed_frames in sorted(listed.items()):
        with bad.guard(sequence):
            added = _sequence_records(
                sequence,
                expressions[codes[sequence]],
                present[sequence],
                listed_frames,
                choices,
                _subject(sequence) not in subjects,
            )
            subjects.update(record.subject_id for record in added if record.role == "neutral")
            records += added
    check_all_found(choices, records, root, bad)
    return records


def _listed_frames(
    root: Path,
    codes: Mapping[str, int],
    expressions: Mapping[int, str],
    present: Mapping[str, Mapping[int, str]],
    bad: BadItems,
) -> dict[str, set[int]]:
    """Frame numbers in the test lists, by sequence: labelled frames whose images exist."""
    listed: dict[str, set[int]] = {}
    absent: list[str] = []
    tested = _tested_names(root)
    for name in tested:
        with bad.guard(name):
            sequence, frame = image_key(name)
            if codes.get(sequence) not in expressions:
                raise UserError(
                    f"a test list of {root} names {name}, but {root / LABELS} gives the sequence {sequence} "
                    f"{'no label' if sequence not in codes else f'the label {codes[sequence]}'}; "
                    "restore the labels, or take the image off the lists."
                )
            if frame in present.get(sequence, {}):
                listed.setdefault(sequence, set()).add(frame)
            else:
                absent.append(name)
    if absent:
        bad.leave_out_all(
            [(name, f"a test list names it, but {IMAGES} lacks it") for name in absent],
            f"a test list of {root} names {absent[0]}, but {root / IMAGES} lacks it, as it lacks "
            f"{len(absent)} of the {len(tested)} images tested; put them there, or take them off the lists",
        )
    return listed


def _sequence_records(
    sequence: str,
    expression: str,
    names: Mapping[int, str],
    listed_frames: set[int],
    choices: Choices,
    with_neutral: bool,
) -> list[FrameRecord]:
    """The selected frames of one sequence, in order; `names`: existing images, by frame number."""
    first = min(names)
    neutral = first if first in FIRST_FRAMES and first not in listed_frames else None
    wanted = wanted_frames(
        sequence,
        sorted(names),
        sorted(listed_frames),
        -1 if neutral is None else neutral,
        choices,
        with_neutral and neutral is not None,
    )
    return [
        FrameRecord(
            subject_id=_subject(sequence),
            sequence_id=sequence,
            frame=frame,
            expression="neutral" if role == "neutral" else expression,
            role=role,
            source=f"{IMAGES}/{names[frame]}",
            landmarks=None,
        )
        for frame, role in wanted
    ]


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The unchanged crop, uint8 (H, W, 3), RGB."""
    return read_image(source_path(root, record.source))


def read_released_masks(folder: Path, fold: int, class_names: Iterable[str]) -> dict[str, np.ndarray]:
    """FMPN's motion masks of one fold: class name -> uint8 (H, W), all of one size.

    `folder` contains `imgs_res/FOLD/CLASS.png`, or is `imgs_res` itself. Classes are numbered from 0 in the
    order of EXPRESSION_OF_CODE: seven are CK+'s, six are MMI's. Raises UserError for a missing fold, other
    class numbers, a class of `class_names` without a mask, and masks that are not gray images.
    """
    require_folder(folder)
    base = folder / MASKS if (folder / MASKS).is_dir() else folder
    place = base / str(fold)
    if not place.is_dir():
        raise UserError(
            f"{base} has no masks of fold {fold}: expected the folder {fold}, found {found_in(base)}; "
            f"pass the folder that holds {MASKS}."
        )
    order = _mask_order(place)
    masks = {}
    for name in class_names:
        if name not in order:
            raise UserError(
                f"{place} has no mask of {name}: its classes are {', '.join(order)}; use masks of a data set "
                "that has that class."
            )
        path = source_path(base, f"{fold}/{order.index(name)}.png")
        image = read_image(path)
        if (image != image[..., :1]).any():
            raise UserError(f"{path} is no gray image, as a mask is; restore it from FMPN's release.")
        masks[name] = image[..., 0]
    if len({mask.shape for mask in masks.values()}) > 1:
        raise UserError(f"the masks in {place} differ in size; restore them from FMPN's release.")
    return masks


def _mask_order(place: Path) -> tuple[str, ...]:
    """The classes of the masks in `place`, ordered by number."""
    numbers = sorted(int(name[:-4]) for name in visible_names(place) if re.fullmatch(r"\d+\.png", name))
    for codes in EXPRESSION_OF_CODE.values():
        names = tuple(codes.values())
        if numbers == list(range(len(names))):
            return names
    raise UserError(
        f"{place} must hold the masks 0.png to 6.png (CK+) or 0.png to 5.png (MMI), but holds "
        f"{found_in(place)}; restore it from FMPN's release."
    )


def _check_layout(root: Path) -> None:
    require_folder(root)
    lists = [name for name in visible_names(root) if re.fullmatch(r"(test|train)_ids_\d+\.csv", name.lower())]
    if (root / IMAGES).is_dir() and (root / LABELS).exists() and lists:
        for name in lists:
            source_path(root, name)
        return
    inside = [name for name in visible_names(root) if (root / name / LABELS).is_file()]
    remedy = f"pass --source {root / inside[0]}" if inside else "pass --source the folder that holds these"
    raise UserError(
        f"{root} is not in FMPN's layout: expected {IMAGES}/, train_ids_0.csv, test_ids_0.csv, ... and "
        f"{LABELS}, found {found_in(root)}; {remedy}."
    )


def _expressions_by_code(codes: Mapping[str, int], path: Path) -> dict[int, str]:
    """The class of each label code: CK+'s, 1 to 7 with -1 for none, or MMI's, 0 to 5.

    A code that only one of the data sets has decides between them.
    """
    known = EXPRESSION_OF_CODE
    allowed = {"CK+": {UNLABELLED, *known["CK+"]}, "MMI": set(known["MMI"])}
    for sequence, code in codes.items():
        if not any(code in some for some in allowed.values()):
            raise UserError(
                f"{path} gives {sequence} the label code {code}, but CK+'s are 1 to 7 and -1, MMI's 0 to 5; "
                "restore it."
            )
    found = set(codes.values())
    fitting = [title for title, some in allowed.items() if found <= some]
    if not fitting:
        first = {code: sequence for sequence, code in reversed(list(codes.items()))}
        ckplus = min(found - allowed["MMI"])
        raise UserError(
            f"{path} mixes label codes of CK+ and MMI: {first[ckplus]} has {ckplus}, which MMI lacks, and "
            f"{first[0]} has 0, which CK+ lacks; restore it."
        )
    if len(fitting) > 1:
        raise UserError(
            f"{path} has only the label codes {', '.join(map(str, sorted(found)))}, which CK+ and MMI give "
            "different meanings; use the labels of all sequences, as FMPN released them."
        )
    return dict(known[fitting[0]])


def _present_images(root: Path) -> dict[str, dict[int, str]]:
    """The names of the images in `imgs`, by sequence and frame number."""
    present: dict[str, dict[int, str]] = {}
    for name in visible_names(root / IMAGES):
        if name.lower().endswith(".png"):
            sequence, frame = image_key(name)
            names = present.setdefault(sequence, {})
            if frame in names:
                raise UserError(
                    f"{root / IMAGES} holds one frame twice, as {names[frame]} and {name}; "
                    "keep the right one."
                )
            names[frame] = name
    return present


def _tested_names(root: Path) -> list[str]:
    """The images of all test lists, without duplicates, sorted."""
    lists = read_fold_lists(root)
    return sorted({PurePosixPath(name).name for fold in lists.folds for name in fold.test})


def released_folds(root: Path) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(training images, test images) of each fold, named as in the lists."""
    return [(fold.train, fold.test) for fold in read_fold_lists(root).folds]


def _subject(sequence: str) -> str:
    return sequence.split("_")[0]
