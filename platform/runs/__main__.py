"""List, show, compare, bundle and remove experiments of a runs folder."""

from __future__ import annotations

from platform.cli.parser import run
from platform.cli.runs_command import main

if __name__ == "__main__":
    run(main)
