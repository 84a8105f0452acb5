"""Where an Optuna study lives: a journal file, SQLite or PostgreSQL."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from platform.errors import UserError

if TYPE_CHECKING:
    import optuna

JOURNAL = "journal"
"""The default: a file in the experiment's folder, safe on NFS."""
JOURNAL_FILE = "study.journal"
CONNECT_SECONDS = 5
"""A server that has not answered by then counts as unreachable."""
BUSY_SECONDS = 30
"""How long SQLite waits for another process that writes."""

_PASSWORD = re.compile(r"(postgresql://[^:/?#@]*):(.*)@")


def without_password(text: str) -> str:
    """The same text, with the password gone from a PostgreSQL URL in it."""
    return _PASSWORD.sub(r"\1@", text)


def storage_setting(text: str) -> str:
    """The setting `storage` from what a user wrote: no password in it, a SQLite file's path absolute.

    A setting is printed and stored with the results. The password goes where PostgreSQL's own programs
    look for it, into this process's PGPASSWORD.
    """
    password = _PASSWORD.search(text)
    if password:
        os.environ["PGPASSWORD"] = unquote(password.group(2))
        return without_password(text)
    if text.startswith("sqlite:///"):
        return "sqlite:///" + str(Path(text.removeprefix("sqlite:///")).expanduser().absolute())
    return text


def storage_location(setting: str, experiment_folder: Path) -> str:
    """What `open_storage` opens, and what optuna-dashboard is given: a journal's path, or a URL."""
    return str(experiment_folder / JOURNAL_FILE) if setting == JOURNAL else setting


def open_storage(location: str | Path, say: Callable[[str], None] = print) -> optuna.storages.BaseStorage:
    """The storage at that path (a journal file, which is made) or URL, for the driver that leads its study.

    A journal that ends in a damaged line is repaired, and `say` tells of it.

    UserError, within seconds: a folder that cannot be written, a full disk, a journal damaged elsewhere, a
    server that cannot be reached or refuses, a database made by another version of Optuna.
    """
    if "://" in str(location):
        return _open_database(str(location))
    return _open_journal(Path(location), say)


def find_study(location: str, name: str) -> optuna.Study | None:
    """The study of that name, to be looked at; None where there is none yet. Writes nothing, not even the
    tables of a new database.

    UserError as `open_storage`.
    """
    import optuna

    if not (_has_tables(location) if "://" in location else Path(location).exists()):
        return None
    storage = _open_database(location) if "://" in location else _open_journal(Path(location), None)
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        close_storage(storage)
        return None


def close_storage(storage: optuna.storages.BaseStorage) -> None:
    """Close a database's connections; a journal has none."""
    engine = getattr(storage, "engine", None)
    if engine is not None:
        engine.dispose()


def storage_failure(error: BaseException) -> str:
    """What a database answered, in one line without its full stop and without a password."""
    cause = error.__cause__ or error
    reason = str(getattr(cause, "orig", None) or cause).strip().splitlines() or [type(cause).__name__]
    return without_password(f"the study's storage cannot be used ({reason[0].strip().rstrip('.')})")


def _open_journal(path: Path, say: Callable[[str], None] | None) -> optuna.storages.BaseStorage:
    """`say` None: only to be looked at."""
    import optuna

    from platform.search.journal import Journal

    journal = Journal(path)
    if say is not None:
        journal.make_ready(say)
    try:
        return optuna.storages.JournalStorage(journal)
    except UserError:
        raise
    except Exception as error:  # whatever Optuna trips over in an operation whose values make no sense
        raise journal.refuse_contents(error) from error


def _open_database(url: str) -> optuna.storages.BaseStorage:
    import optuna

    with _reachable(url):
        return optuna.storages.RDBStorage(url, engine_kwargs=_engine_settings(url))


def _has_tables(url: str) -> bool:
    """Whether Optuna has used the database. SQLite would make the file, only to look into it."""
    import sqlalchemy

    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and file.parent.is_dir() and not file.exists():
        return False
    with _reachable(url):
        engine = sqlalchemy.create_engine(url, **_engine_settings(url))
        try:
            return bool(sqlalchemy.inspect(engine).has_table("studies"))
        finally:
            engine.dispose()


def _engine_settings(url: str) -> dict[str, Any]:
    if url.startswith("postgresql://"):
        # A connection that the server or a firewall closed overnight is noticed and opened again.
        return {"connect_args": {"connect_timeout": CONNECT_SECONDS}, "pool_pre_ping": True}
    return {"connect_args": {"timeout": BUSY_SECONDS}}


@contextmanager
def _reachable(url: str) -> Iterator[None]:
    """A UserError for whatever keeps a database from being used."""
    import sqlalchemy.exc

    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, RuntimeError, ValueError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise UserError(
            f"the study's storage must be reachable, but {url} is not: {without_password(reason)} "
            f"{_remedy(url, reason)}"
        ) from error


def _remedy(url: str, reason: str) -> str:
    if url.startswith("sqlite:"):
        return "Check that the file's folder is there and may be written, or pass another --storage."
    if "password" in reason or "authentication" in reason:
        return "Put the password into PGPASSWORD or ~/.pgpass, or check the user's name in --storage."
    return (
        "Check that the server runs and accepts this machine, and the host, port and database in --storage."
    )
