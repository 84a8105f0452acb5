"""Cluster files with their blanks filled in, and the commands that their comments show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FILLED = {
    "FILL_IN_REGION": "eu-central-1",
    "FILL_IN_KEY": "my-key",
    "FILL_IN_IMAGE": "ami-0123456789abcdef0",
    "FILL_IN_SECURITY_GROUP": "sg-0123456789abcdef0",
    "FILL_IN_FILE_SYSTEM": "fs-0123456789abcdef0.efs.eu-central-1.amazonaws.com",
    "FILL_IN_HEAD": "10.0.0.1",
    "FILL_IN_WORKER_1": "10.0.0.2",
    "FILL_IN_WORKER_2": "10.0.0.3",
    "FILL_IN_USER": "someone",
}
"""Blank to what a user puts there."""
NAMES = ("ray_cluster.yaml", "ray_cluster.local.yaml")


def filled(root: Path, name: str = NAMES[0]) -> dict[str, Any]:
    """The file of that name with every blank filled in."""
    return yaml.safe_load(filled_text(root, name))


def filled_text(root: Path, name: str) -> str:
    """The same as text."""
    text = (root / name).read_text(encoding="utf-8")
    for blank, value in FILLED.items():
        text = text.replace(blank, value)
    return text


def shown_commands(text: str) -> list[str]:
    """The commands in the comment at a file's start: one a line, indented by three spaces."""
    return [line[4:] for line in text.splitlines() if line.startswith("#   ")]
