"""Final screen of a run command: table, conclusions, report and next command, at most 40 lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

SCREEN_LINES = 40
SCREEN_COLUMNS = 100
FAILURES_SHOWN = 4


def final_lines(
    table: str,
    conclusions: Sequence[str],
    *,
    details: Sequence[str] = (),
    failures: Sequence[str] = (),
    report: str,
    winner: str = "",
    next_command: str,
) -> list[str]:
    """The lines to print.

    table: text of several lines. details: further results, such as a Pareto front. failures: trials without a
    score. winner: the file of the chosen configuration; empty without a search. Where all of it is longer
    than the screen, the table and the details are cut and the last line of them names the report;
    conclusions, failures and the last lines always stay.
    """
    if len(failures) > FAILURES_SHOWN:
        more = len(failures) - FAILURES_SHOWN + 1
        failures = [*failures[: FAILURES_SHOWN - 1], f"  ... {more} more lines in the report"]
    ending = [""]
    for sentence in conclusions:
        ending += textwrap.wrap(sentence, SCREEN_COLUMNS)
    ending += [
        *([""] if failures else []),
        *failures,
        "",
        f"Report:  {report} (tables, figures and ray.log beside it)",
        *([f"Winner:  {winner}"] if winner else []),
        f"Next:    {next_command}",
    ]
    body = [*table.strip("\n").split("\n"), *([""] if details else []), *details]
    room = SCREEN_LINES - sum(map(_screen_rows, ending))
    return [*_cut(body, room), *ending]


def _cut(lines: Sequence[str], room: int) -> list[str]:
    """The first lines that fit into `room` rows of the screen, and how many do not."""
    if sum(map(_screen_rows, lines)) <= room:
        return list(lines)
    kept, used = [], 1  # one row says what is missing
    for line in lines:
        used += _screen_rows(line)
        if used > room:
            break
        kept.append(line)
    return [*kept, f"... {len(lines) - len(kept)} more lines: see the report and the files beside it"]


def _screen_rows(line: str) -> int:
    """Rows that a line takes on a terminal of SCREEN_COLUMNS."""
    return max(1, -(-len(line) // SCREEN_COLUMNS))
