"""Names of artifacts as keys in stored records: the two oldest have keys of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OLDEST = ("masks", "stage1")
"""Artifacts whose identity, or None, every fold run's record holds under their name, and whose contents lie
in a folder of that name. Identities of the others are in `artifacts`."""
KEY = "artifacts"


def with_artifacts(record: Mapping[str, Any], identities: Mapping[str, str]) -> dict[str, Any]:
    """A fold run's record with the identities of its artifacts, by name."""
    others = {name: value for name, value in identities.items() if name not in OLDEST}
    return {
        **record,
        **{name: identities.get(name) for name in OLDEST},
        **({KEY: others} if others else {}),
    }


def artifacts_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Name to identity of the artifacts that a stored record names."""
    oldest = {name: record[name] for name in OLDEST if record.get(name)}
    return {**oldest, **record.get(KEY, {})}


def folder_of(name: str) -> str:
    """The results store's folder of artifacts of that name."""
    return name if name in OLDEST else KEY
