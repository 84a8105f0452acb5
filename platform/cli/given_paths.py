"""Refusal of addresses (`s3://bucket/runs`) in the arguments of every command.

Only databases and Ray clusters have an address, so all other flags and positional arguments are looked at
alike: whatever names a file or folder, in present and in later flags, is covered.
"""

from __future__ import annotations

from collections.abc import Sequence

from platform.files.addresses import refuse_address

TAKE_AN_ADDRESS = ("--storage", "--address")
"""Flags whose value may be an address; their own rules say which."""


def refuse_addresses(argv: Sequence[str]) -> None:
    """UserError if an argument has an address in a path's place. argv: a command's arguments as typed."""
    flag = ""
    for word in argv:
        if word.startswith("--"):
            flag, _, value = word.partition("=")
        else:
            value = word
        if flag not in TAKE_AN_ADDRESS:
            refuse_address(value, flag or "an argument")
