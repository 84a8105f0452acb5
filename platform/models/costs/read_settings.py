"""Settings that note which of their values are read."""

from __future__ import annotations

from typing import Any

from platform.models.method import Settings


class ReadSettings(Settings):
    """`settings`, whose values enter `read` under their names as soon as they are read.

    Values that `with_values` has changed do not enter: they are not those of `settings`.
    """

    def __init__(
        self, settings: Settings, read: dict[str, Any], changed: frozenset[str] = frozenset()
    ) -> None:
        self._own, self._read, self._changed = settings, read, changed

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # of this object; not yet there while it is copied
            raise AttributeError(name)
        value = getattr(self._own, name)
        if name not in self._changed:
            self._read[name] = value
        return value

    def to_dict(self) -> dict[str, Any]:
        """All names and values; all of them count as read."""
        values = self._own.to_dict()
        self._read.update({name: value for name, value in values.items() if name not in self._changed})
        return values

    def with_values(self, **changes: Any) -> Settings:
        """A copy with some values changed, which notes into the same `read`."""
        return ReadSettings(self._own.with_values(**changes), self._read, self._changed | changes.keys())
