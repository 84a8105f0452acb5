"""Identities of results: a hash of everything that can change them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

RESULT_VERSION = 2
"""Incremented whenever a change of the code changes the numbers of a fold run; pinned by tests/golden."""


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and without spaces. Raises ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def identity(record: dict[str, Any]) -> str:
    """The identity of a record: 24 hexadecimal digits of the SHA-256 of its canonical JSON."""
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()[:24]
