"""Lines of JSON with a checksum each, for files that grow by lines: damage in a line is noticed."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

_CHECKSUM = re.compile(rb',"crc32":"([0-9a-f]{8})"\}$')


class DamagedLine(ValueError):
    """A line that is not as it was written."""


def checked_line(value: Mapping[str, Any]) -> bytes:
    """The object as a line of JSON, whose last key is the CRC-32 of the line without that key."""
    text = json.dumps(value, separators=(",", ":")).encode()
    return text[:-1] + b',"crc32":"%08x"}\n' % zlib.crc32(text)


def value_of(line: bytes) -> dict[str, Any]:
    """The object that the line holds, its checksum among the keys; a line without one is believed.

    DamagedLine: half a line, no JSON object, another checksum.
    """
    text = line.rstrip(b"\r\n")
    checksum = _CHECKSUM.search(text)
    if checksum and int(checksum[1], 16) != zlib.crc32(text[: checksum.start()] + b"}"):
        raise DamagedLine("it does not match its checksum")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # also: no UTF-8
        raise DamagedLine("it is no JSON") from error
    if not line.endswith(b"\n") or not isinstance(value, dict):
        raise DamagedLine("it is no line that was written here")
    return value
