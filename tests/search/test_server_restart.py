"""Connecting waits for a server that restarts, for a limited time in all, and repeats nothing but that."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import optuna
import pytest

from platform.errors import UserError
from platform.search import server_restart
from platform.search.server_restart import Patience
from platform.search.storage import close_storage, open_storage, storage_in_use
from tests.search.postgres_server import PASSWORD, Server, own_server

PLACE = "postgresql://u@host/db"


class Refused(Exception):
    """What a driver raises where nothing answers."""


class Driver:
    """Stands for SQLAlchemy's dialect: refuses the attempts of these numbers, from 0."""

    class loaded_dbapi:
        OperationalError = Refused

    def __init__(self, refused: Iterator[int] | range) -> None:
        self.refused, self.attempts = set(itertools.islice(refused, 1000)), 0

    def connect(self, *arguments: Any, **options: Any) -> str:
        self.attempts += 1
        if self.attempts - 1 in self.refused:
            raise Refused("connection refused\n  is it running?")
        return f"connection {self.attempts - 1}"


def connect(patience: Patience, driver: Driver) -> Any:
    return patience._connect(driver, None, [], {})


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_restart, "PAUSE_SECONDS", 0.001)


def test_it_waits_until_the_server_answers_and_says_so_once() -> None:
    said: list[str] = []
    patience, driver = Patience(PLACE, said.append), Driver(range(1, 4))
    assert connect(patience, driver) == "connection 0"
    assert not said
    assert connect(patience, driver) == "connection 4"
    assert said == [
        f"{PLACE} does not answer (connection refused): waiting up to 60 s for it. Fold runs go on."
    ]


def test_it_waits_anew_after_each_absence() -> None:
    said: list[str] = []
    patience, driver = Patience(PLACE, said.append), Driver(iter([0, 2, 3]))
    assert [connect(patience, driver) for _ in range(2)] == ["connection 1", "connection 4"]
    assert len(said) == 2


def test_after_the_time_each_attempt_fails_at_once() -> None:
    said: list[str] = []
    patience, driver = Patience(PLACE, said.append, away_seconds=0.05), Driver(range(1000))
    with pytest.raises(Refused):
        connect(patience, driver)
    attempts = driver.attempts
    assert attempts > 1
    with pytest.raises(Refused):
        connect(patience, driver)
    assert driver.attempts == attempts + 1
    assert len(said) == 1


def test_an_error_that_is_no_absence_is_not_waited_for() -> None:
    class Wrong(Driver):
        def connect(self, *arguments: Any, **options: Any) -> str:
            raise ValueError("no such option")

    with pytest.raises(ValueError, match="no such option"):
        connect(Patience(PLACE, print), Wrong(range(0)))


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with own_server() as server:
        yield server


def test_a_real_server_that_is_killed_is_waited_for_and_then_named(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    storage = open_storage(postgres.url(), said.append)
    study = optuna.create_study(study_name="one", storage=storage)
    study.tell(study.ask(), 1.0)
    postgres.kill()
    again = threading.Timer(0.5, postgres.start)
    again.start()
    study.tell(study.ask(), 2.0)
    again.join()
    assert [trial.value for trial in study.trials] == [1.0, 2.0]
    assert len(said) == 1
    assert said[0].startswith(f"{postgres.url()} does not answer (")

    monkeypatch.setattr(server_restart, "AWAY_SECONDS", 0.2)
    other = open_storage(postgres.url(), said.append)
    same = optuna.load_study(study_name="one", storage=other)
    postgres.kill()
    with pytest.raises(UserError) as refused, storage_in_use(postgres.url()):
        same.ask()
    message = str(refused.value)
    assert message.startswith(f"the study's storage {postgres.url()} cannot be used (")
    assert message.endswith(
        ". Finished results are kept; once it answers, run the same command again to continue."
    )
    assert "\n" not in message
    assert not [text for text in (message, *said) if PASSWORD in text]
    for one in (storage, other):
        close_storage(one)
