"""An exception that nobody expected ends in a sentence, and its traceback is in a file."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from pathlib import Path

import pytest

from platform.cli.unexpected import FAULT, sentence_and_status


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/disk")


def test_a_fault_of_ours_names_the_file_with_its_traceback(tmp_path: Path) -> None:
    sentence, status = sentence_and_status(raised(KeyError("folds")))
    assert status == FAULT
    found = re.search(r"\((/\S+\.txt)\)", sentence)
    assert found
    assert "\n" not in sentence
    text = Path(found[1]).read_text()
    assert Path(found[1]).parent == tmp_path
    assert "Traceback (most recent call last)" in text
    assert "KeyError: 'folds'" in text


@pytest.mark.parametrize("error", [full_disk(), raised(RuntimeError("Tune failed"), full_disk())])
def test_a_full_disk_is_the_users_to_put_right(error: Exception) -> None:
    sentence, status = sentence_and_status(error)
    assert status == 2
    assert sentence.startswith(
        "No space left on device: /full/disk; remove the cause and run the command again: finished work"
    )


def test_a_storage_that_fails_is_said_without_its_password() -> None:
    import optuna
    import sqlalchemy.exc

    database = sqlalchemy.exc.OperationalError("select 1", {}, Exception("postgresql://u:secret@h/d is gone"))
    for error in (database, raised(optuna.exceptions.StorageInternalError("caught"), database)):
        sentence, status = sentence_and_status(error)
        assert status == 2
        assert sentence.startswith("the study's storage cannot be used (")
        assert "secret" not in sentence


def test_the_file_with_the_traceback_has_the_command_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["tune", "--storage", "postgresql://u:s3cret@host/studies"])
    sentence, _ = sentence_and_status(ValueError("odd"))
    where = sentence.partition("traceback (")[2].partition(")")[0]
    text = Path(where).read_text()
    Path(where).unlink()
    assert "tune --storage postgresql://u@host/studies" in text
    assert "s3cret" not in text


def test_a_lost_actor_of_rays_is_no_fault_of_ours() -> None:
    import ray.exceptions

    sentence, status = sentence_and_status(ray.exceptions.RayActorError())
    assert status == 2
    assert sentence.startswith("Ray cannot continue (")
    assert "\n" not in sentence


def test_without_a_place_for_the_file_the_line_in_the_source_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    sentence, _ = sentence_and_status(raised(KeyError("folds")))
    assert f"no file could be written; raised at {__file__}:" in sentence
