"""Durations in words, for every line that shows one."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60, 3600, 86400
ONLY_DAYS = 10
"""From so many days on, the hours are left out."""


def duration(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`, `1 day 3 h`, `148 days`."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    days = whole // DAY
    if days >= ONLY_DAYS:
        return f"{days:,} days"
    return f"{days} {'day' if days == 1 else 'days'} {whole % DAY // HOUR} h"
