"""What `--address` says: the host and port of a cluster's control store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from platform.errors import UserError
from platform.files.addresses import without_secret

PLACE = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.%]+)\]|(?P<name>[^\s:/@\[\]]+)):(?P<port>\d{1,5})")
ADDRESS_VARIABLE = "RAY_ADDRESS"
ON_THE_HEAD = (
    "run the command on the cluster's head with --address auto: by ssh, with `ray exec ray_cluster.yaml "
    "'COMMAND'`, or with `ray job submit --address http://HEAD:8265 -- COMMAND` (docs/cluster.md)"
)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a control store should listen."""

    host: str
    port: int
    words: str
    """As the user gave it, with what it stands for."""


def read_address(
    asked: str, environment: Mapping[str, str], running: Callable[[], tuple[list[str], str]]
) -> Address:
    """The place that `asked` stands for.

    running: the control stores of nodes that run on this machine, and the one that `ray start` started last
    (empty if none). UserError: another protocol, no port, or `auto` where no cluster runs.
    """
    if asked == "auto":
        named = environment.get(ADDRESS_VARIABLE, "")
        if named and named != "auto":
            return _place(named, f"auto ({named}, as {ADDRESS_VARIABLE} says)")
        found = _running_here(*running())
        return _place(found, f"auto ({found})")
    return _place(asked, asked)


def check_form(asked: str) -> None:
    """UserError: neither `auto` nor HOST:PORT."""
    if asked != "auto":
        _place(asked, asked)


def _running_here(stores: list[str], last: str) -> str:
    if last in stores or len(stores) == 1:
        return last if last in stores else stores[0]
    if stores:
        raise UserError(
            f"--address auto takes the cluster whose node runs on this machine, but there are "
            f"{len(stores)}: {', '.join(sorted(stores))}; pass one of them."
        )
    raise UserError(
        "--address auto takes the cluster whose node runs on this machine, but no node of a Ray cluster runs "
        "here; start one (`ray start --head`, `ray up ray_cluster.yaml`), or leave out --address to use this "
        "machine alone."
    )


def _place(text: str, words: str) -> Address:
    if text.startswith("ray://"):
        raise UserError(
            f"--address takes auto or HOST:PORT of the control store, but got {without_secret(words)}: a "
            f"search runs its trials in the command itself, which must be on a node of the cluster, and not "
            f"behind Ray's client; {ON_THE_HEAD}."
        )
    found = PLACE.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 2**16:
        raise UserError(
            f"--address takes auto or HOST:PORT of the control store, e.g. 10.0.0.1:6379, but got "
            f"{without_secret(words)!r}; leave out --address to use this machine alone."
        )
    return Address(host=found["six"] or found["name"], port=int(found["port"]), words=words)
