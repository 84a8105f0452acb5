from __future__ import annotations

import pytest

from platform.host.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (86399, "23 h 59 min"),
        (86400, "1 day 0 h"),
        (3 * 86400 + 7200, "3 days 2 h"),
        (148.4 * 86400, "148 days"),
        (1e9, "11,574 days"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
