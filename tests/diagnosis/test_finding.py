"""Findings: a check that fails is one, and the checks after it follow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from platform.diagnosis.finding import Check, Finding, any_failed, findings
from platform.errors import UserError

WELL = Finding("ok", "b", "there")


def _raise(error: BaseException) -> Finding:
    raise error


@pytest.mark.parametrize(
    ("error", "value", "remedy"),
    [
        (ZeroDivisionError("by zero\nmore"), "could not be checked (ZeroDivisionError: by zero)", "cause"),
        (KeyError(), "could not be checked (KeyError)", "remove the cause"),
        (ModuleNotFoundError("No module named 'numpy'"), "No module named 'numpy'", "make setup"),
        (UserError("a; must be b, but is c; do d."), "a; must be b, but is c", "do d"),
        (UserError("one sentence."), "one sentence", ""),
    ],
)
def test_a_check_that_fails_is_a_finding_and_the_next_one_follows(
    error: Exception, value: str, remedy: str
) -> None:
    failed, well = findings([Check("a", lambda: _raise(error)), Check("b", lambda: WELL)])
    assert (failed.state, failed.name) == ("failed", "a")
    assert value in failed.value
    assert remedy in failed.remedy
    assert well is WELL
    assert any_failed([well, failed])
    assert not any_failed([well])


def test_a_check_that_fails_in_the_middle_gives_one_finding() -> None:
    def ask() -> Iterator[Finding]:
        yield WELL
        raise ValueError("then")

    (found,) = findings([Check("a", ask)])
    assert found.state == "failed"


def test_ctrl_c_is_no_finding() -> None:
    with pytest.raises(KeyboardInterrupt):
        list(findings([Check("a", lambda: _raise(KeyboardInterrupt()))]))


def test_a_record_has_the_four_fields() -> None:
    assert WELL.as_record() == {"state": "ok", "name": "b", "value": "there", "remedy": ""}
