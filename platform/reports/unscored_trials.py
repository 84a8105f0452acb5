"""Trials of a study without a score, and why: what failed, and what was no valid configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def failed_trials(study: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Trials of which a fold run failed, as often as it was tried."""
    return [trial for trial in study["trials"] if trial["state"] == "FAIL" and not trial.get("invalid")]


def invalid_trials(study: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Proposals that break a rule of the configuration: nothing was run for them."""
    return [trial for trial in study["trials"] if trial.get("invalid")]


def unscored_lines(study: Mapping[str, Any]) -> list[str]:
    """For a person: each of them with its reason; no line where there is none."""
    count = len(study["trials"])
    return [
        *_listed(failed_trials(study), f"of {count} trials of {study['name']} failed", "failed"),
        *_listed(
            invalid_trials(study),
            f"of {count} trials of {study['name']} had no valid configuration, so nothing was run for them",
            "invalid",
        ),
    ]


def _listed(trials: Sequence[Mapping[str, Any]], what: str, reason: str) -> list[str]:
    if not trials:
        return []
    return [
        f"{len(trials)} {what}:",
        # Experiments made before 22 November 2026 do not hold why a trial failed.
        *(f"  trial {trial['number']}: {trial.get(reason) or 'why is not stored'}" for trial in trials),
    ]
