"""Ray's own check of a cluster file, as `ray up` makes it before it asks a cloud."""

from __future__ import annotations

import copy
import difflib
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

NOT_FOR_LOCAL = ("available_node_types", "head_node", "worker_nodes")
"""Keys at which Ray ends the process, instead of raising, for machines that it does not start."""


def schema_complaint(config: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first thing in a cluster file that Ray refuses: its key (dotted) and what is wrong; None: nothing.

    Ray's schema ends at `node_config`, and lets a provider have any key.
    """
    provider = config.get("provider")
    if not isinstance(provider, Mapping):
        return "provider", "is missing, or no mapping with a type"
    if provider.get("type") == "local" and (complaint := _complaint_of_local(config, provider)):
        return complaint
    try:
        with _without_log():
            _check(copy.deepcopy(dict(config)))
    except Exception as error:
        return _told(error)
    return None


def _complaint_of_local(config: Mapping[str, Any], provider: Mapping[str, Any]) -> tuple[str, str] | None:
    for key in NOT_FOR_LOCAL:
        if config.get(key):
            return key, "is not for machines of your own (provider local), whose types Ray does not know"
    if not isinstance(provider.get("worker_ips"), list) and "coordinator_address" not in provider:
        return "provider.worker_ips", "must be a list of addresses"
    if not provider.get("head_ip") and "coordinator_address" not in provider:
        return "provider.head_ip", "is missing"
    return None


def _check(config: dict[str, Any]) -> None:
    # Private names of the one Ray version in the lock file; there is no public offline check.
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(config))


@contextmanager
def _without_log() -> Iterator[None]:
    logger = logging.getLogger("ray.autoscaler._private.util")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _told(error: Exception) -> tuple[str, str]:
    """A jsonschema.ValidationError has a path; Ray's own errors have a sentence alone."""
    path = ".".join(str(part) for part in getattr(error, "absolute_path", ()))
    if getattr(error, "validator", None) == "additionalProperties":
        known = getattr(error, "schema", {}).get("properties", {})
        unknown = sorted(set(getattr(error, "instance", {})) - set(known))
        return ".".join(
            filter(None, [path, unknown[0]])
        ), f"is no key that Ray knows{_nearest(unknown[0], known)}"
    text = (str(getattr(error, "message", error)).strip().splitlines() or [type(error).__name__])[0]
    return path or "file", text


def _nearest(name: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""
