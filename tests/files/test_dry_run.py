"""Whether a dry run goes on."""

from __future__ import annotations

import pytest

from platform.files.dry_run import dry_run, is_dry_run


def fail_in_a_dry_run() -> None:
    with dry_run():
        raise KeyError


def test_it_lasts_as_long_as_its_block() -> None:
    assert not is_dry_run()
    with dry_run():
        assert is_dry_run()
    assert not is_dry_run()


def test_an_inactive_one_within_an_active_one_ends_nothing() -> None:
    with dry_run(active=False):
        assert not is_dry_run()
    with dry_run(), dry_run(active=False):
        assert is_dry_run()


def test_an_error_ends_it() -> None:
    with pytest.raises(KeyError):
        fail_in_a_dry_run()
    assert not is_dry_run()
