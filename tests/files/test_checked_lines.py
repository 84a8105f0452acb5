"""A line is read as it was written, and no other way."""

from __future__ import annotations

import pytest

from platform.files.checked_lines import DamagedLine, checked_line, value_of

VALUE = {"name": "ä", "values": [0.5], "nested": {"state": 1}}


def test_a_line_is_read_as_it_was_written() -> None:
    assert {key: value for key, value in value_of(checked_line(VALUE)).items() if key != "crc32"} == VALUE


def test_no_changed_byte_changes_a_value() -> None:
    line = checked_line(VALUE)
    for place in range(len(line)):
        for byte in {48, 49, line[place] ^ 1} - {line[place]}:
            try:
                read = value_of(line[:place] + bytes([byte]) + line[place + 1 :])
            except DamagedLine:
                continue
            assert {key: read[key] for key in VALUE} == VALUE  # only the checksum's name was hit


@pytest.mark.parametrize("line", [b"", b"{}", b"[]\n", b"\0\0\n", b"{\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_object_on_a_line_is_refused(line: bytes) -> None:
    with pytest.raises(DamagedLine):
        value_of(line)
