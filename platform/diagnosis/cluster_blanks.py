"""Blanks of a cluster file: placeholders that begin with FILL_IN, and what to put in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from platform.diagnosis.finding import Finding

BLANK = re.compile(r"FILL_IN\w*")
WHAT_TO_PUT = {
    "FILL_IN_REGION": "the AWS region, e.g. eu-central-1",
    "FILL_IN_KEY": "the name of your ssh key in ~/.ssh",
    "FILL_IN_IMAGE": "the image of clusters/aws_image.sh (ami-...)",
    "FILL_IN_SECURITY_GROUP": "the group of clusters/aws_account.sh",
    "FILL_IN_FILE_SYSTEM": "an NFS server (clusters/aws_account.sh)",
    "FILL_IN_HEAD": "the address of the machine that leads",
    "FILL_IN_WORKER_1": "the address of a worker",
    "FILL_IN_WORKER_2": "the address of one more worker",
    "FILL_IN_USER": "the user who may ssh to every machine",
}
SHORTER = re.compile(r"available_node_types\.|node_config\.|\[0\]$")
"""Parts of a key that say nothing to a reader of the file."""


def blanks(name: str, config: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for every blank that is left, with the first key that has it; one tick if there is none.

    name: of the file, as it is shown.
    """
    places: dict[str, list[str]] = {}
    for key, text in texts(config):
        for blank in dict.fromkeys(BLANK.findall(text)):
            places.setdefault(blank, []).append(key)
    for blank, keys in places.items():
        what = WHAT_TO_PUT.get(blank, "a value of yours")
        yield Finding("failed", blank, f"{name}, {SHORTER.sub('', keys[0])}: put {what}")
    if not places:
        yield Finding("ok", "blanks", f"{name}: all are filled in")


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a file with its key: `provider.region`, `setup_commands[1]`; keys that are texts too."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield f"{key}.{name}" if key else str(name), str(name)
            yield from texts(part, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from texts(part, f"{key}[{index}]")
    elif isinstance(value, str):
        yield key, value


def is_blank(value: Any) -> bool:
    """Whether a value still has to be filled in, so that nothing else can be said of it."""
    return isinstance(value, str) and BLANK.search(value) is not None
