"""File positions of AffectNet's two layouts, and checks for missing files."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from datasets import affectnet_csv, affectnet_npy
from datasets.affectnet_labels import ListedImage
from datasets.raw.accounting import IMAGE_LIKE, Account, FileKind, Layout
from datasets.raw.choices import BadItems
from datasets.raw.sources import visible_names

_SUBSETS = "|".join(affectnet_npy.SUBSETS)

NPY_LAYOUT = Layout(
    title="AffectNet",
    tops=tuple(affectnet_npy.SUBSETS),
    top_names=tuple(affectnet_npy.SUBSETS),
    kinds=(
        FileKind(
            what="image",
            folder=rf"({_SUBSETS})/{affectnet_npy.IMAGES}",
            name=r"[^/()]+\.jpg",
            example="train_set/images/0.jpg",
            suspect=IMAGE_LIKE,
        ),
        FileKind(
            what="label",
            folder=rf"({_SUBSETS})/{affectnet_npy.ANNOTATIONS}",
            name=r"[^/()]+_exp\.npy",
            example="train_set/annotations/0_exp.npy",
            suspect=r"_?exp|^\d+\.npy$",
            elsewhere=r"\d+_exp\.npy",
        ),
        FileKind(
            what="landmark file",
            folder=rf"({_SUBSETS})/{affectnet_npy.ANNOTATIONS}",
            name=r"[^/()]+_lnd\.npy",
            example="train_set/annotations/0_lnd.npy",
            suspect=r"lnd|land",
            elsewhere=r"\d+_lnd\.npy",
        ),
    ),
    beside=(rf"({_SUBSETS})/{affectnet_npy.ANNOTATIONS}/[^/]+_(val|aro)\.npy", "test_set"),
    keep=("image", "label"),
)


def csv_layout(root: Path) -> Layout:
    """The older layout. Lists with other names count as data if the standard ones are absent."""
    standard = any(
        name.lower() in affectnet_csv.STANDARD_LISTS
        for folder in affectnet_csv.LIST_FOLDERS
        if (root / folder).is_dir()
        for name in visible_names(root / folder)
    )
    folders = [folder.rstrip("/") for folder in affectnet_csv.LIST_FOLDERS]
    names = "|".join(map(re.escape, affectnet_csv.STANDARD_LISTS)) if standard else r"[^/]+\.csv"
    return Layout(
        title="AffectNet",
        tops=(affectnet_csv.IMAGES, *folders[1:]),
        top_names=(affectnet_csv.IMAGES, *folders[1:]),
        kinds=(
            FileKind(
                what="image",
                folder=rf"{affectnet_csv.IMAGES}(/.+)?",
                name=rf".*{IMAGE_LIKE}",
                example=f"{affectnet_csv.IMAGES}/1/<name>.jpg",
                suspect=r"(?!)",
            ),
            FileKind(
                what="list",
                folder="|".join(folders),
                name=names,
                example=affectnet_csv.STANDARD_LISTS[0],
                suspect=r"^(training|validation)\b",
            ),
        ),
        beside=(rf"{affectnet_csv.OTHER_IMAGES}.*",),
        keep=("image", "list"),
    )


def check_lists(root: Path, account: Account, bad: BadItems) -> None:
    """Raises UserError if only one of the two standard lists exists."""
    for folder in affectnet_csv.LIST_FOLDERS:
        there = {
            name.lower().removeprefix(folder.lower())
            for name in account.kept["list"]
            if name.startswith(folder) and "/" not in name.removeprefix(folder)
        }
        absent = [name for name in affectnet_csv.STANDARD_LISTS if name not in there]
        if len(absent) == 1 and there & set(affectnet_csv.STANDARD_LISTS):
            bad.leave_out_all(
                [(f"{folder}{absent[0]}", "this list is missing")],
                f"{root / folder} holds one of AffectNet's two lists, but lacks {absent[0]}; put it there",
            )


def check_annotations(root: Path, account: Account, bad: BadItems) -> None:
    """Raises UserError if a part of the newer layout, or the label of an image, is missing."""
    for subset in affectnet_npy.SUBSETS:
        if not (root / subset / affectnet_npy.ANNOTATIONS).is_dir():
            bad.leave_out_all(
                [(subset, "this part of AffectNet is missing, or its annotations are")],
                f"{root} lacks {subset}/{affectnet_npy.ANNOTATIONS}, one of AffectNet's two parts; "
                "put it there",
            )
    end = len(affectnet_npy.CODE_FILE)
    labelled = {
        label[:-end].replace(f"/{affectnet_npy.ANNOTATIONS}/", "/") for label in account.kept["label"]
    }
    absent = [
        image
        for image in account.kept["image"]
        if str(PurePosixPath(image).with_suffix("")).replace(f"/{affectnet_npy.IMAGES}/", "/") not in labelled
    ]
    if absent:
        bad.leave_out_all(
            [(image, f"its label (*{affectnet_npy.CODE_FILE}) is missing") for image in absent],
            f"{len(absent)} of {len(account.kept['image'])} images of {root} have no label, the first being "
            f"{absent[0]}; restore their files *{affectnet_npy.CODE_FILE}",
        )


def unlisted(account: Account, named: Collection[str]) -> list[str]:
    """The images on disk that neither lists nor annotations name (`named`), ignoring case."""
    left = set(account.kept["image"]) - set(named)
    known = {source.casefold() for source in named} if left else set()
    return sorted(source for source in left if source.casefold() not in known)


def images_there(
    root: Path, images: Sequence[ListedImage], account: Account, bad: BadItems
) -> list[ListedImage]:
    """The `images` whose files exist, with the file names as on disk, which may differ in case.

    Raises UserError for missing files, with their number.
    """
    there = set(account.kept["image"])
    by_case: dict[str, str] = {}
    found, absent = [], []
    for image in images:
        if image.source in there:
            found.append(image)
            continue
        by_case = by_case or {path.casefold(): path for path in there}
        source = by_case.get(image.source.casefold())
        if source is None:
            absent.append(image.source)
        else:
            found.append(image._replace(source=source))
    if absent:
        bad.leave_out_all(
            [(source, "listed, but there is no such file") for source in absent],
            f"{root} lacks {len(absent)} of the {len(images)} images wanted, the first being {absent[0]}; "
            "restore them",
        )
    return found
