"""All checks together: in order, each once, with one question to what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from platform.diagnosis import checks, ray_trial
from platform.diagnosis.checks import NAMES, all_checks
from platform.diagnosis.finding import findings
from platform.errors import UserError
from platform.host.probe import ProbeError

SLOW = ("libraries", "gpu", "bf16", "weights", "ray")


def test_the_checks_are_those_that_can_be_skipped(tmp_path: Path) -> None:
    with all_checks(tmp_path, tmp_path, SLOW) as made:
        assert [check.name for check in made] == [name for name in NAMES if name not in SLOW]


def test_an_unknown_check_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ray"), all_checks(tmp_path, tmp_path, ["rai"]):
        pass


def test_checks_that_start_nothing_answer_here(tmp_path: Path) -> None:
    with all_checks(tmp_path / "runs", tmp_path, SLOW) as made:
        found = list(findings(made))
    assert not [one for one in found if "could not be checked" in one.value]
    names = {one.name for one in found}
    assert {"Python", "packages", "runs", "data", "temporary files", "disk", "prepared set"} <= names


def test_the_libraries_are_asked_once_and_their_failure_is_told_by_every_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    @contextmanager
    def broken() -> Iterator[Callable[[], Mapping[str, Any]]]:
        def ask() -> Mapping[str, Any]:
            asked.append(1)
            raise ProbeError("its process was ended by SIGILL")

        yield ask

    monkeypatch.setattr(checks, "_libraries", broken)
    skipped = [name for name in NAMES if name not in ("libraries", "weights")]
    with all_checks(tmp_path, tmp_path, skipped) as made:
        found = list(findings(made))
    assert len(asked) == 1
    assert [one.state for one in found] == ["failed", "failed"]
    assert all("SIGILL" in one.value for one in found)


def test_ray_that_cannot_even_be_tried_fails_and_the_others_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def impossible() -> Iterator[Callable[[], Mapping[str, Any]]]:
        raise UserError("Ray needs a folder, but none can be created; set RAY_TMPDIR to a writable folder.")
        yield

    monkeypatch.setattr(ray_trial, "ray_tried", impossible)
    skipped = [name for name in NAMES if name not in ("ray", "memory")]
    with all_checks(tmp_path, tmp_path, skipped) as made:
        memory, ray = findings(made)
    assert memory.name == "memory"
    assert (ray.state, ray.remedy) == ("failed", "set RAY_TMPDIR to a writable folder")
