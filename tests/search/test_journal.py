"""A study's journal is whole after every kind of end, and damage in it is named, never read past."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend

from platform.errors import UserError
from platform.files.checked_lines import DamagedLine, checked_line
from platform.search.journal import log_of
from platform.search.storage import find_study, open_storage
from tests.files.test_append_only import files_limited_to

NAME = "study"
ZEROS = b"\0" * 4096


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def study_in(path: Path, said: list[str] | None = None) -> optuna.Study:
    storage = open_storage(path, (said if said is not None else []).append)
    return optuna.create_study(storage=storage, study_name=NAME, load_if_exists=True, direction="maximize")


def journal_of_two_trials(path: Path) -> bytes:
    study = study_in(path)
    for value in (0.5, 0.25):
        study.enqueue_trial({"x": value})
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        trial.set_user_attr("overrides", {"x": value})
        study.tell(trial, value)
    return path.read_bytes()


def outcome(study: optuna.Study) -> list[Any]:
    return [(trial.number, trial.state, trial.values, trial.params) for trial in study.trials]


def refusal(path: Path) -> str:
    before = path.read_bytes()
    with pytest.raises(UserError) as error:
        study_in(path)
    assert path.read_bytes() == before
    return str(error.value)


def test_a_line_is_read_as_it_was_written_and_no_other_way() -> None:
    log = {"op_code": 6, "worker_id": "ä-1", "values": [0.5], "state": 1}
    line = checked_line(log)
    assert {key: value for key, value in log_of(line).items() if key != "crc32"} == log
    for place in range(len(line)):
        for changed in (b"0", b"1", b"\0", b"\n", b"\xff"):
            other = line[:place] + changed + line[place + 1 :]
            if other == line:
                continue
            try:
                read = log_of(other)
            except DamagedLine:
                continue
            # Only the name of the checksum was hit: nothing is lost.
            assert {key: read[key] for key in log} == log


def test_a_file_cut_anywhere_in_its_last_line_is_repaired_once(tmp_path: Path) -> None:
    whole = journal_of_two_trials(tmp_path / "whole")
    start = len(b"".join(whole.splitlines(keepends=True)[:-1]))
    path = tmp_path / "study.journal"
    for length in range(start, len(whole) + 1):
        path.write_bytes(whole[:length])
        said: list[str] = []
        study = optuna.load_study(storage=open_storage(path, said.append), study_name=NAME)
        assert path.read_bytes() == (whole if length == len(whole) else whole[:start])
        assert len(said) == (start < length < len(whole))
        assert [trial.value for trial in study.trials] == [0.5, 0.25 if length == len(whole) else None]


def test_what_follows_a_repair_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    path.write_bytes(journal_of_two_trials(path)[:-20])
    study_in(path).tell(1, 0.25)
    said: list[str] = []
    assert [trial.value for trial in study_in(path, said).trials] == [0.5, 0.25]
    assert not said
    assert all(log_of(line) for line in path.read_bytes().splitlines(keepends=True))


@pytest.mark.parametrize("end", [ZEROS, b'{"op_code":6,"trial' + ZEROS, ZEROS + b"\n", b"\xff\xfe\n"])
def test_what_a_power_cut_leaves_at_the_end_is_cut(end: bytes, tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    whole = journal_of_two_trials(path)
    path.write_bytes(whole + end)
    said: list[str] = []
    assert [trial.value for trial in study_in(path, said).trials] == [0.5, 0.25]
    assert said == [
        f"{path} ended in a damaged line ({len(end)} bytes), as after a full disk or a power "
        "failure. The line was removed; its content is computed again."
    ]


@pytest.mark.parametrize(
    ("place", "damage", "reason"),
    [
        (0, lambda line: line[:30] + b"\n", "it is not valid JSON"),
        (3, lambda line: line[:-20] + line, "it does not match its checksum"),
        (4, lambda line: ZEROS + b"\n", "it is not valid JSON"),
        (5, lambda line: line.replace(b'"state":1', b'"state":2'), "it does not match its checksum"),
        (5, lambda line: line.replace(b"0.5", b"0.9"), "it does not match its checksum"),
        (2, lambda line: b"{}\n", "it is not an Optuna operation"),
    ],
)
def test_a_damaged_line_before_the_last_is_refused_by_number(
    place: int, damage: Any, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "study.journal"
    lines = journal_of_two_trials(path).splitlines(keepends=True)
    changed = damage(lines[place])
    assert changed != lines[place]
    path.write_bytes(b"".join([*lines[:place], changed, *lines[place + 1 :]]))
    message = refusal(path)
    assert message.startswith(f"line {place + 1} of {path} is damaged: {reason}.")
    assert "move it away and run the same command again" in message


@pytest.mark.parametrize(
    "line",
    [
        b'{"op_code":99}\n',
        b'{"op_code":0,"worker_id":"x"}\n',
        b'{"op_code":4,"worker_id":"x","study_id":0,"datetime_start":7}\n',
        b'{"op_code":6,"worker_id":"x","trial_id":0,"state":17,"values":null}\n',
    ],
)
def test_an_operation_that_makes_no_sense_is_refused_by_number(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    study_in(path).ask()
    path.write_bytes(path.read_bytes() + line)
    assert refusal(path).startswith(f"line 3 of {path} is damaged: Optuna cannot read it (")


def test_lines_without_a_checksum_are_read(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    backend = JournalFileBackend(str(path))  # as earlier versions and optuna-dashboard write
    study = optuna.create_study(storage=optuna.storages.JournalStorage(backend), study_name=NAME)
    study.tell(study.ask(), 1.0)
    assert [trial.value for trial in study_in(path).trials] == [1.0]


def test_optuna_reads_our_lines(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    journal_of_two_trials(path)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
    assert outcome(optuna.load_study(storage=storage, study_name=NAME)) == outcome(study_in(path))


def test_two_openers_see_each_others_lines(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    one = study_in(path)
    other = study_in(path)
    one.tell(one.ask(), 1.0)
    other.set_user_attr("note", "seen")
    other.tell(other.ask(), 2.0)
    assert [trial.value for trial in one.trials] == [1.0, 2.0]
    assert one.user_attrs == {"note": "seen"}


def test_a_full_disk_ends_in_one_sentence_and_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    study = study_in(path)
    trial = study.ask()
    before = path.read_bytes()
    with files_limited_to(len(before) + 10), pytest.raises(UserError, match="free space there and run the"):
        study.tell(trial, 0.5)
    assert path.read_bytes() == before
    assert not os.path.lexists(f"{path}.lock")
    again = study_in(path)
    again.tell(0, 0.5)
    assert [one.value for one in again.trials] == [0.5]


def test_looking_at_a_study_repairs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    half = journal_of_two_trials(path)[:-10]
    path.write_bytes(half)
    found = find_study(str(path), NAME)
    assert found is not None
    assert [trial.value for trial in found.trials] == [0.5, None]
    assert path.read_bytes() == half
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_lock_that_came_with_a_copied_folder_does_not_stop_us(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    Path(f"{path}.lock").symlink_to("/elsewhere/study.journal")
    study_in(path).ask()
    assert not os.path.lexists(f"{path}.lock")


def test_the_lock_of_a_killed_driver_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.search.journal.LOCK_GRACE_SECONDS", 1)
    path = tmp_path / "study.journal"
    path.touch()
    Path(f"{path}.lock").symlink_to(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna finds a second short
        study_in(path).ask()
    assert not os.path.lexists(f"{path}.lock")
