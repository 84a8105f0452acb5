"""Trials of a study without a score: failed trials and invalid configurations, with their reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def failed_trials(study: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Trials with a fold run that failed after all retries."""
    return [trial for trial in study["trials"] if trial["state"] == "FAIL" and not trial.get("invalid")]


def invalid_trials(study: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Proposals that are invalid configurations, so nothing was run."""
    return [trial for trial in study["trials"] if trial.get("invalid")]


def unscored_lines(study: Mapping[str, Any]) -> list[str]:
    """A line for each unscored trial with its reason, under a line with their number."""
    count = len(study["trials"])
    return [
        *_listed(failed_trials(study), f"of {count} trials of {study['name']} failed", "failed"),
        *_listed(
            invalid_trials(study),
            f"of {count} trials of {study['name']} were invalid configurations and did not run",
            "invalid",
        ),
    ]


def _listed(trials: Sequence[Mapping[str, Any]], what: str, reason: str) -> list[str]:
    if not trials:
        return []
    return [
        f"{len(trials)} {what}:",
        # Experiments made before 22 November 2026 do not store why a trial failed.
        *(f"  trial {trial['number']}: {trial.get(reason) or 'reason not stored'}" for trial in trials),
    ]
