"""Whose settings a row ran with: stored in experiment.json, shown in tables, notes and conclusions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OWN_SEARCH, WINNER, GIVEN = "own search", "winner", "given"
"""Stored words: settings that a search of the row's own method chose, the winner's (a baseline without a
search of its own), or those that the user gave."""


@dataclass(frozen=True, kw_only=True)
class SettingsSource:
    """Source of a row's settings."""

    whose: str = ""
    """OWN_SEARCH, WINNER or GIVEN; empty for a row of an earlier version, which does not say."""
    trials: int = 0
    """Trials of each study of the row's own search; 0 without one."""
    preset: str = ""
    """Preset of those options that the first method does not share; empty if it shares all."""
    given: tuple[str, ...] = ()
    """Options that the user gave for this method alone (`methods` of --config)."""

    def to_dict(self) -> dict[str, Any]:
        """The keys of a row in experiment.json; none where the source is unknown."""
        return {
            **({"settings_of": self.whose} if self.whose else {}),
            **({"search_trials": self.trials} if self.trials else {}),
            **({"settings_preset": self.preset} if self.preset else {}),
            **({"settings_given": list(self.given)} if self.given else {}),
        }

    def describe(self) -> str:
        """`own search of 12 trials`, `the winner's, the rest from the preset quick`, `given`."""
        if self.whose == OWN_SEARCH:
            return "own search of 1 trial" if self.trials == 1 else f"own search of {self.trials} trials"
        parts = ["the winner's" if self.whose == WINNER else self.whose]
        parts += [f"the rest from the preset {self.preset}"] if self.preset else []
        parts += [f"given {', '.join(self.given)}"] if self.given else []
        return ", ".join(parts)


UNKNOWN = SettingsSource()
AS_GIVEN = SettingsSource(whose=GIVEN)


def settings_source(row: Mapping[str, Any]) -> SettingsSource:
    """The source of a row of experiment.json."""
    return SettingsSource(
        whose=str(row.get("settings_of", "")),
        trials=int(row.get("search_trials", 0)),
        preset=str(row.get("settings_preset", "")),
        given=tuple(map(str, row.get("settings_given", ()))),
    )
