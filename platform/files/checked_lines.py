"""JSON lines with checksums, for append-only files: damage within a line is detected."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

_CHECKSUM = re.compile(rb',"crc32":"([0-9a-f]{8})"\}$')


class DamagedLine(ValueError):
    """The line differs from what was written; the message says how."""


def checked_line(value: Mapping[str, Any]) -> bytes:
    """The object as a line of JSON. Its last key, `crc32`, is the CRC-32 of the line without that key."""
    text = json.dumps(value, separators=(",", ":")).encode()
    return text[:-1] + b',"crc32":"%08x"}\n' % zlib.crc32(text)


def value_of(line: bytes) -> dict[str, Any]:
    """The object in the line, including its checksum; a line without a checksum is accepted.

    Raises DamagedLine for part of a line, anything but a JSON object, and a wrong checksum.
    """
    text = line.rstrip(b"\r\n")
    checksum = _CHECKSUM.search(text)
    if checksum and int(checksum[1], 16) != zlib.crc32(text[: checksum.start()] + b"}"):
        raise DamagedLine("it does not match its checksum")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError includes invalid UTF-8
        raise DamagedLine("it is not valid JSON") from error
    if not line.endswith(b"\n") or not isinstance(value, dict):
        raise DamagedLine("it is not a whole line with a JSON object")
    return value
