from __future__ import annotations

import pytest

from platform.cli.sizes_text import bytes_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_999, "1.0 MB"),
        (3_400_000_000, "3.4 GB"), (5 * 10**15, "5000.0 TB"),
    ],
)  # fmt: skip
def test_bytes_are_shown_in_decimal_units(count: int, text: str) -> None:
    assert bytes_text(count) == text
