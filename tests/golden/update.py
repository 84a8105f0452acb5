"""`python -m tests.golden.update`: accept the present sources and losses as the golden ones.

Where the losses moved, RESULT_VERSION (platform/runs/identity.py) must have been raised, so that
no stored result of the old code is taken for one of the new. Where they did not, say with
`--same-numbers` that the change moves no number anywhere, or raise the version.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from platform.runs.identity import RESULT_VERSION
from tests.golden.losses import golden_losses
from tests.golden.sources import sources_hash

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("golden.json")
TOLERANCE = 1e-4
"""Relative: CPUs differ in their last bits, and five steps of Adam make a little more of that."""
LATER_TOLERANCE = {"fmpn: stage 2": 3e-3}
"""The same from the third step on, for cases that make much more of it. Measured: the golden losses come from
a processor with AVX-512; one without it, its oneDNN held to AVX2, AVX or SSE4.1, differs by up to 2.0e-3 in
the third step and 5e-5 in the first two."""


def current() -> dict[str, Any]:
    """Version, sources' hash and losses as they are now."""
    return {"result_version": RESULT_VERSION, "sources": sources_hash(ROOT), "losses": golden_losses()}


def moved(before: dict[str, list[float]], now: dict[str, list[float]]) -> list[str]:
    """One line a case whose losses are not the golden ones."""
    found = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name, []), now.get(name, [])
        later = LATER_TOLERANCE.get(name, TOLERANCE)
        close = len(old) == len(new) and all(
            abs(a - b) <= (TOLERANCE if step < 2 else later) * abs(a)
            for step, (a, b) in enumerate(zip(old, new, strict=True))
        )
        if not close:
            found.append(f"{name}: golden {old}, now {new}")
    return found


def refusal(before: dict[str, Any], now: dict[str, Any], *, same_numbers: bool) -> str | None:
    """Why `now` may not replace `before`, or None."""
    if now["result_version"] > before["result_version"]:
        return None
    if now["result_version"] < before["result_version"]:
        return (
            f"RESULT_VERSION must never fall, but went from {before['result_version']} to {RESULT_VERSION}."
        )
    differences = moved(before["losses"], now["losses"])
    if differences:
        return "The losses moved; raise RESULT_VERSION first:\n  " + "\n  ".join(differences)
    if now["sources"] != before["sources"] and not same_numbers:
        return (
            "The sources changed and the golden losses did not; raise RESULT_VERSION, or pass --same-numbers "
            "if the change moves no number of any run."
        )
    return None


def main(argv: list[str]) -> int:
    """Write golden.json, or say why not."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.update", description=__doc__)
    parser.add_argument("--same-numbers", action="store_true", help="the change moves no number of any run")
    arguments = parser.parse_args(argv)
    now = current()
    if FILE.exists():
        reason = refusal(json.loads(FILE.read_text()), now, same_numbers=arguments.same_numbers)
        if reason:
            print(reason, file=sys.stderr)
            return 2
    FILE.write_text(json.dumps(now, indent=1) + "\n")
    print(f"wrote {FILE.name}: result version {now['result_version']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
