"""Found in place of the standard module if a file of this folder is run directly: says how to start it.

`python platform/tune.py` makes this folder the first place of imports, and not the folder above it.
"""

from __future__ import annotations

import os
import sys


def sentence(file: str) -> str:
    """What to run instead of a file of this folder."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    command = os.path.splitext(os.path.basename(file))[0]
    return (
        f"{file} is part of a package and does not run on its own; run {root}/fer {command}, or "
        f"python -m platform.{command} in {root}."
    )


sys.stderr.write(f"error: {sentence(sys.argv[0])}\n")
raise SystemExit(2)
