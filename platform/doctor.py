"""Check of this machine or a cluster file: what commands need and what is missing."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from platform.cli.parser import Parser, run
from platform.errors import UserError
from platform.host.console import one_line
from platform.host.launcher import default_folder, pasteable

if TYPE_CHECKING:
    from platform.diagnosis.finding import Check, Finding

DESCRIPTION = """\
Check whether commands can run here: Python, packages, GPU and driver, bfloat16, what Ray needs and whether it
starts, folders, disk space, prepared sets and weights. Changes nothing and leaves nothing behind.
With --cluster, check a file for `ray up` instead, without a network: what is still to be filled in, keys that
nobody knows, who may reach the cluster, what has to be copied.
"""
EPILOG = """\
signs: ✓ well, ! commands run, but slower or with less, ✗ something that they need is missing
checks that can be skipped: {names}

examples:
  python -m platform.doctor
  python -m platform.doctor --runs /shared/runs --data-root /shared/data
  python -m platform.doctor --skip ray            on a machine that is busy
  python -m platform.doctor --json -              for a program
  python -m platform.doctor --cluster ray_cluster.yaml

exit status: 0 nothing is missing, 1 something that commands need is missing, 2 bad input.
"""
SIGNS = {"ok": "✓", "warning": "!", "failed": "✗"}
NAME_WIDTH = 22
LINE_WIDTH = 110


def make_parser() -> Parser:
    """Parser of the command's flags."""
    from platform.diagnosis.checks import NAMES

    parser = Parser(
        prog="python -m platform.doctor",
        description=DESCRIPTION,
        epilog=EPILOG.format(names=", ".join(NAMES)),
    )
    add = parser.add_argument
    add(
        "--runs",
        type=Path,
        default=default_folder("runs"),
        metavar="DIR",
        help="folder of all results (default: runs)",
    )
    add(
        "--data-root", type=Path, default=default_folder("data"), metavar="DIR",
        help="folder of prepared sets (default: data)",
    )  # fmt: skip
    add("--skip", nargs="+", default=[], metavar="CHECK", help="checks to leave out (see below)")
    add(
        "--cluster",
        type=Path,
        metavar="FILE",
        help="check a cluster file for `ray up` instead of this machine",
    )
    add("--json", metavar="FILE|-", help="also write all findings to FILE; -: print them as JSON instead")
    return parser


def main(argv: list[str]) -> int:
    """Look and print a line for every finding. Returns 1 if something is missing that commands need."""
    arguments = make_parser().parse_args(argv)
    from platform.diagnosis.finding import any_failed, findings
    from platform.files.writing import write_atomically
    from platform.host.sigterm import terminable

    as_json = arguments.json == "-"
    found = []
    with terminable(), _checks(arguments) as checks:
        for finding in findings(checks):
            found.append(finding)
            if not as_json:
                print(pasteable("\n".join(lines(finding))), flush=True)
    record = {"format": "doctor", "findings": [one.as_record() for one in found]}
    text = json.dumps(record, indent=1, ensure_ascii=True) + "\n"
    if as_json:
        print(text, end="")
    else:
        print(
            summary(found, "commands can run here" if arguments.cluster is None else "`ray up` can take it")
        )
        if arguments.json:
            write_atomically(Path(arguments.json), text)
    return int(any_failed(found))


@contextmanager
def _checks(arguments: argparse.Namespace) -> Iterator[list[Check]]:
    if arguments.cluster is not None:
        if arguments.skip:
            raise UserError(
                "--skip leaves out checks of this machine, but --cluster checks a file; remove one."
            )
        from platform.diagnosis.cluster_file import cluster_checks

        yield cluster_checks(arguments.cluster)
        return
    from platform.diagnosis.checks import all_checks

    with all_checks(arguments.runs, arguments.data_root, arguments.skip) as checks:
        yield checks


def lines(finding: Finding) -> list[str]:
    """A finding as lines for the screen: sign, name and value, and below it the remedy."""
    start = f"{SIGNS[finding.state]} {finding.name:<{NAME_WIDTH}} "
    indent = " " * len(start)
    shown = textwrap.wrap(
        one_line(finding.value),
        LINE_WIDTH,
        initial_indent=start,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    if finding.remedy:
        shown += textwrap.wrap(
            one_line(finding.remedy).rstrip("."), LINE_WIDTH, initial_indent=f"{indent}→ ",
            subsequent_indent=f"{indent}  ", break_on_hyphens=False,
        )  # fmt: skip
    return shown


def summary(found: Sequence[Finding], conclusion: str = "commands can run here") -> str:
    """The last line: how many of each kind, and the conclusion if nothing is missing."""
    count = Counter(one.state for one in found)
    parts = [f"{count['ok']} well"]
    parts += [f"{count['warning']} {'warning' if count['warning'] == 1 else 'warnings'}"] * bool(
        count["warning"]
    )
    if count["failed"]:
        what = f"follow the lines that begin with {SIGNS['failed']}"
        return f"{', '.join([*parts, str(count['failed'])])} missing: {what}"
    return f"{', '.join(parts)}: {conclusion}"


if __name__ == "__main__":
    run(main)
