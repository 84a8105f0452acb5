"""A whole search whose study is on a real PostgreSQL server: the search terminated and killed, the server
killed in mid-search, then the journal's table."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest

from platform.search.storage import close_storage, open_storage
from tests.distributed.processes import LINUX_ONLY
from tests.distributed.search_command import FINAL_RUNS, Command
from tests.search.postgres_server import PASSWORD, Server, own_server

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(900)]


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with own_server() as server:
        yield server


def told(location: str | Path) -> list[tuple[object, ...]]:
    """Number, state, parameters and score of every trial of the only study there."""
    storage = open_storage(location)
    (summary,) = optuna.get_all_study_summaries(storage)
    trials = optuna.load_study(study_name=summary.study_name, storage=storage).get_trials()
    close_storage(storage)
    return [(t.number, t.state.name, t.params, t.values, t.intermediate_values) for t in trials]


def same_as_in_a_file(search: Command, postgres: Server) -> None:
    """Run the same search with its study in a file: all fold runs are there, only the study is made anew."""
    everything = search.finished()
    search.start("--name", "in-a-file")
    assert search.wait() == 0, search.err()
    assert search.finished() == everything, "the two searches asked for other fold runs"
    file = search.runs / "experiments" / "in-a-file" / "study.journal"
    assert told(file) == told(postgres.url())
    assert len(told(file)) == 2
    assert search.fold_runs() >= FINAL_RUNS + 5
    for name, text in search.tables().items():
        other = search.tables("in-a-file")[name]
        assert text.replace(b"tiny", b"in-a-file") == other, name


def holds_the_password(folder: Path) -> list[Path]:
    """Files of a search in which the password stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if PASSWORD.encode() in path.read_bytes()]


def test_a_search_on_a_server_survives_its_driver_and_the_servers_end(
    command: Callable[[str], Command], postgres: Server
) -> None:
    search = command("runs")
    search.start("--storage", postgres.url())
    search.until(lambda: search.fold_runs() >= 2)
    assert search.signal(signal.SIGTERM) == 143
    assert (
        search.err().strip() == "terminated: finished work is stored; run the same command again to continue."
    )
    search.start("--storage", postgres.url())
    search.until(lambda: search.fold_runs() >= 4)
    assert search.signal(signal.SIGKILL) == -signal.SIGKILL
    finished = search.finished()
    search.start("--storage", postgres.url())
    search.until(lambda: search.fold_runs() >= 5)
    postgres.kill()
    search.until(lambda: "does not answer" in search.out())
    postgres.start()
    if search.wait() == 2:  # killed within a statement, which is not repeated
        assert f"the study's storage {postgres.url()} cannot be used (" in search.err()
        search.start("--storage", postgres.url())
    assert search.wait() == 0, search.err()
    assert finished.items() <= search.finished().items(), "a finished run was run again"
    assert not holds_the_password(search.folder)
    same_as_in_a_file(search, postgres)


@pytest.mark.slow  # waits for a minute, as a user would
def test_a_server_that_stays_away_is_named_and_the_same_command_continues(
    command: Callable[[str], Command], postgres: Server
) -> None:
    search = command("runs")
    search.start("--storage", postgres.url())
    search.until(lambda: search.fold_runs() >= 2)
    postgres.kill()
    assert search.wait() == 2, search.out()
    (sentence,) = search.err().strip().splitlines()
    assert sentence.startswith("error: ")
    assert f"the study's storage {postgres.url()} cannot be used (" in sentence
    assert "run the same command again" in sentence
    finished = search.finished()
    assert len(finished) >= 2
    assert not search.left()
    postgres.start()
    search.start("--storage", postgres.url())
    assert search.wait() == 0, search.err()
    assert finished.items() <= search.finished().items(), "a finished run was run again"
    assert not holds_the_password(search.folder)
    same_as_in_a_file(search, postgres)
