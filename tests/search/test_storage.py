"""Every storage keeps a study; an unreachable one is refused in a line, without the password."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import optuna
import pytest

from platform.errors import UserError
from platform.search.storage import (
    close_storage,
    find_study,
    open_storage,
    storage_location,
    storage_setting,
    without_password,
)
from tests.search.postgres_server import PASSWORD, Server, own_server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with own_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_password_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "")


def location_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """What a user may write after --storage, as the setting that it becomes."""
    if kind == "journal":
        return storage_location("journal", folder / "new")
    if kind == "sqlite":
        return storage_setting(f"sqlite:///{folder}/study.db")
    server: Server = request.getfixturevalue("postgres")
    return storage_setting(server.url(password=quote(PASSWORD, safe="")))


@pytest.mark.parametrize("kind", ["journal", "sqlite", "postgresql"])
def test_a_study_outlives_its_process(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    location = location_of(kind, tmp_path, request)
    storage = open_storage(location)
    study = optuna.create_study(study_name=f"a {kind} study", storage=storage)
    study.enqueue_trial({"x": 0.25, "net": "b"})
    trial = study.ask()
    assert (trial.suggest_float("x", 0, 1), trial.suggest_categorical("net", ["a", "b"])) == (0.25, "b")
    trial.set_user_attr("overrides", {"x": 0.25})
    study.tell(trial, 0.5)
    close_storage(storage)
    storage = open_storage(location)
    again = optuna.load_study(study_name=study.study_name, storage=storage)
    assert [(t.value, t.params, t.user_attrs["overrides"]) for t in again.trials] == [
        (0.5, {"x": 0.25, "net": "b"}, {"x": 0.25})
    ]
    close_storage(storage)


def test_two_studies_share_a_server_and_are_told_apart(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    storage = open_storage(location_of("postgresql", tmp_path, request))
    for name in ("one", "other"):
        optuna.create_study(study_name=name, storage=storage).add_trial(optuna.trial.create_trial(value=1.0))
    assert [len(optuna.load_study(study_name=n, storage=storage).trials) for n in ("one", "other")] == [1, 1]
    close_storage(storage)


def refusal(location: str | Path) -> str:
    started = time.monotonic()
    with pytest.raises(UserError) as error:
        open_storage(location)
    assert time.monotonic() - started < 30
    message = str(error.value)
    assert "\n" not in message
    assert "sqlalche.me" not in message
    return message


def test_a_wrong_password_is_refused_and_not_shown(postgres: Server) -> None:
    setting = storage_setting(postgres.url(password="wr0ng"))
    assert setting == postgres.url()
    message = refusal(setting)
    assert "password authentication failed" in message
    assert "PGPASSWORD" in message
    assert "wr0ng" not in message


def test_a_database_that_is_not_there_is_refused_by_name(postgres: Server) -> None:
    setting = storage_setting(postgres.url("absent", password=quote(PASSWORD, safe="")))
    assert 'database "absent" does not exist' in refusal(setting)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone@127.0.0.1:1/studies",
        "postgresql://someone@nowhere.invalid/studies",
        "sqlite:////nowhere/study.db",
    ],
)
def test_an_unreachable_storage_is_refused_with_the_remedy(url: str) -> None:
    message = refusal(url)
    assert message.startswith(f"the study's storage must be reachable, but {url} is not: ")
    assert "--storage" in message


def test_a_journal_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "choose another --runs" in refusal(tmp_path / "file" / "study.journal")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("method,accuracy\n" * 100)
    assert "not a database" in refusal(f"sqlite:///{tmp_path}/table.csv")


@pytest.mark.parametrize(
    ("text", "shown", "password"),
    [
        ("postgresql://u:secret@host/db", "postgresql://u@host/db", "secret"),
        ("postgresql://u:s%40c%2Fr@host:5432/db", "postgresql://u@host:5432/db", "s@c/r"),
        ("postgresql://u:odd@sign@host/db", "postgresql://u@host/db", "odd@sign"),
        ("postgresql://u@host/db", "postgresql://u@host/db", ""),
        ("postgresql://host:5432/db", "postgresql://host:5432/db", ""),
        ("journal", "journal", ""),
        ("sqlite:////folder/study.db", "sqlite:////folder/study.db", ""),
    ],
)
def test_a_password_goes_to_the_environment_and_nowhere_else(text: str, shown: str, password: str) -> None:
    assert storage_setting(text) == shown
    assert os.environ["PGPASSWORD"] == password
    assert without_password(f"tune --storage={text} --trials 3") == f"tune --storage={shown} --trials 3"


def test_a_sqlite_file_means_the_same_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert storage_setting("sqlite:///study.db") == f"sqlite:///{tmp_path}/study.db"


def test_a_study_is_found_and_looking_for_one_makes_nothing(tmp_path: Path) -> None:
    journal = storage_location("journal", tmp_path / "experiment")
    assert find_study(journal, "study") is None
    assert not (tmp_path / "experiment").exists()
    optuna.create_study(study_name="study", storage=open_storage(journal))
    assert find_study(journal, "other") is None
    found = find_study(journal, "study")
    assert found is not None
    assert found.study_name == "study"


@pytest.mark.parametrize("kind", ["journal", "sqlite", "postgresql"])
def test_optuna_dashboard_opens_it(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    location = location_of(kind, tmp_path, request)
    storage = open_storage(location)
    optuna.create_study(study_name=f"shown from {kind}", storage=storage)
    close_storage(storage)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("optuna-dashboard")
    with subprocess.Popen(
        [program, location, "--port", str(port), "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            assert f"shown from {kind}" in answer(f"http://127.0.0.1:{port}/api/studies")
        finally:
            server.kill()


def answer(url: str) -> str:
    """The text at that address, once its server has started."""
    for _ in range(240):
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return str(response.read().decode())
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"{url} did not answer")
