"""Files other than faces in a folder of the user's own images."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from datasets.raw.accounting import FileKind, Layout, account_for
from datasets.raw.choices import BadItems
from datasets.raw.sources import visible_names
from platform.errors import UserError

FACES = "faces.csv"
IMAGE_TYPES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")

_IMAGE_NAME = rf".*({'|'.join(map(re.escape, IMAGE_TYPES))})"
_TABLE = FileKind(
    what="table",
    folder="",
    name=re.escape(FACES),
    example=FACES,
    suspect=r"^faces\b.*\.(csv|tsv|txt|xlsx?|ods|numbers)$",
)


def table_name(root: Path) -> str | None:
    """The name of the table in `root` as stored on disk; None without one. Raises UserError for two."""
    names = [name for name in visible_names(root) if name.lower() == FACES]
    if len(names) > 1:
        raise UserError(f"{root} holds both {names[0]} and {names[1]}; keep one.")
    return names[0] if names else None


def account_for_tree(root: Path, bad: BadItems) -> None:
    """Report to `bad` the files outside subject/expression/image; the reader reports those inside.

    Raises UserError for a file named almost like the table, which would decide every label.
    """
    leaf = FileKind(
        what="image", folder="[^/]+/[^/]+", name=".*", example="anna/anger/1.png", suspect=r"(?!)"
    )
    layout = Layout(
        title="a folder of your own",
        tops=(".*",),
        top_names=(),
        kinds=(_TABLE, leaf),
        beside=(rf"([^/]+/)?{_IMAGE_NAME}",),  # the reader of the tree reports images there
        depth=2,
    )
    account_for(root, layout, bad)


def account_for_table(root: Path, listed: Collection[str], bad: BadItems) -> None:
    """Report to `bad` the files that the table does not list, in the folders of the images that it lists.

    `listed`: paths of the listed images. Raises UserError for a file named almost like the table.
    """
    tops = sorted({source.split("/")[0] for source in listed if "/" in source})
    layout = Layout(
        title="a folder of your own",
        tops=tuple(map(re.escape, tops)) or ("(?!)",),
        top_names=(),
        kinds=(
            _TABLE,
            FileKind(what="image", folder=".*", name=_IMAGE_NAME, example="1.png", suspect=r"(?!)"),
        ),
        keep=("image",),
    )
    account = account_for(root, layout, bad)
    bad.beside += sorted(set(account.kept["image"]) - set(listed))
