"""Files of a raw data set: found inside its folder, read strictly, hashed."""

from __future__ import annotations

import os
import warnings
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from platform.errors import UserError
from platform.files import opening
from platform.files.junk import is_junk
from platform.files.names import check_names
from platform.files.opening import file_sha256

if TYPE_CHECKING:
    import PIL.Image

LARGEST_IMAGE_PIXELS = 64_000_000
"""Larger images (8000 × 8000) are refused: no data set of the field comes close, and a few kilobytes of PNG
can decompress to gigabytes."""


RESTORE = "restore it from your copy of the data set."


def require_folder(root: Path) -> Path:
    """`root` itself, if it is a folder that is not empty. Raises UserError otherwise."""
    if not os.path.exists(root):  # not Path.exists, which raises below a folder without search permission
        raise UserError(
            f"the folder {root} does not exist; pass --source the folder of your copy of the data set."
        )
    if not root.is_dir():
        raise UserError(f"{root} is a file, not a folder; unpack it and pass --source the folder.")
    try:
        is_empty = not any(root.iterdir())
    except OSError as error:
        raise UserError(f"cannot list the folder {root}: {error.strerror}; grant read permission.") from error
    if is_empty:
        raise UserError(f"the folder {root} is empty; pass --source the folder of your copy of the data set.")
    return root


def visible_names(folder: Path) -> list[str]:
    """Sorted names in `folder`, without junk of operating systems (platform/files/junk.py).

    Raises UserError if the folder cannot be read or a name in it is not valid text.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir() if not is_junk(entry.name))
    except OSError as error:
        raise UserError(
            f"cannot list the folder {folder}: {error.strerror}; let it be read, or restore it."
        ) from error
    check_names(folder, names)
    return names


def folder_names(folder: Path) -> list[str]:
    """Names of the folders in `folder`, as `visible_names` lists them."""
    return [name for name in visible_names(folder) if (folder / name).is_dir()]


def found_in(folder: Path, most: int = 8) -> str:
    """The first names in `folder`, for a message about what was found instead."""
    names = visible_names(folder)
    return (
        ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
    ) or "nothing"


def source_path(root: Path, source: str) -> Path:
    """The path of the file `source` (relative to `root`, with `/`).

    Raises UserError for an absolute path, a `..`, a link to a target outside `root` and an impossible path
    (too long, a null byte, a cycle of links).
    """
    relative = PurePosixPath(source)
    path = root / relative
    escapes = relative.is_absolute() or ".." in relative.parts
    try:
        escapes = escapes or not path.resolve().is_relative_to(root.resolve())
        path.stat()
    except FileNotFoundError:
        pass  # reported when the file is read
    except (OSError, RuntimeError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{str(path)[:200]!a} cannot be reached ({why}); correct it.") from error
    if escapes:
        raise UserError(
            f"{path} leaves the data set's folder (by '..', an absolute path or a link); "
            "copy the file itself into that folder."
        )
    return path


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises UserError if it is missing, unreadable, empty or not a regular file."""
    content = opening.read_bytes(path, remedy=RESTORE)
    if not content:
        raise UserError(f"{path} is empty (0 bytes); restore it from your copy of the data set.")
    return content


def read_text(path: Path) -> str:
    """The file's text, decoded from UTF-8. Raises UserError as `read_bytes`, and for other encodings."""
    return opening.decoded(read_bytes(path), str(path))


def read_image(path: Path) -> np.ndarray:
    """An 8-bit gray or RGB image file as uint8 (H, W, 3), RGB.

    Read by PIL, because OpenCV returns the readable part of a truncated file. Raises UserError for anything
    whose conversion to 8-bit RGB would need a guess (alpha, CMYK, 16 bit, an EXIF rotation, several images),
    and for truncated files and files that are not images.
    """
    from PIL import Image, UnidentifiedImageError

    content = read_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content))
        _check_plain(path, image)
        if image.mode == "RGB":
            return np.array(image)
        if image.mode != "L":
            return np.array(image.convert("RGB"))
        import cv2

        # Equal to PIL's conversion, which takes half as long as decoding.
        gray = np.asarray(image)
        return cv2.merge([gray, gray, gray])
    except UserError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UserError(
            f"{path} has too many pixels ({error}); at most {LARGEST_IMAGE_PIXELS:,} are allowed: resize it."
        ) from error
    # Damaged bytes make PIL's decoders raise errors of many kinds.
    except Exception as error:
        # PIL's message for an unknown format contains a memory address, which differs from run to run.
        why = "no known kind of image" if isinstance(error, UnidentifiedImageError) else error
        raise UserError(
            f"{path} is not a readable image ({why}); restore it from your copy of the data set."
        ) from error


def _check_plain(path: Path, image: PIL.Image.Image) -> None:
    """Raises UserError unless the opened image can be converted to 8-bit RGB without a guess."""
    width, height = image.size
    if width * height > LARGEST_IMAGE_PIXELS:
        raise UserError(
            f"{path} has too many pixels ({width}×{height}); at most {LARGEST_IMAGE_PIXELS:,} are allowed: "
            "resize it."
        )
    if image.mode not in ("L", "RGB", "1", "P"):
        raise UserError(
            f"{path} has pixels of kind {image.mode!r}, but 8-bit gray or RGB is needed; convert it."
        )
    if "transparency" in image.info:
        raise UserError(f"{path} has transparent pixels, but 8-bit gray or RGB is needed; convert it.")
    if image.getexif().get(0x0112, 1) != 1:
        raise UserError(f"{path} is stored rotated (EXIF orientation); write it upright, without that tag.")
    # A camera's MPO is a JPEG followed by previews.
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise UserError(f"{path} holds several pictures, but one face is needed; save that one alone.")


@lru_cache(maxsize=1)
def source_sha256(root: Path, source: str) -> str:
    """As `file_sha256` of a source; the last result is cached, because frames of one clip are consecutive."""
    return file_sha256(source_path(root, source))
