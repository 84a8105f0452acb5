"""Storage of Optuna studies: journal file, SQLite or PostgreSQL."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from platform.errors import UserError
from platform.search.server_restart import Patience

if TYPE_CHECKING:
    import optuna

JOURNAL = "journal"
"""The default: a file in the experiment's folder, safe on NFS."""
JOURNAL_FILE = "study.journal"
CONNECT_SECONDS = 5
"""Connection timeout of a database server."""
BUSY_SECONDS = 30
"""Time that SQLite waits for another writer."""

_PASSWORD = re.compile(r"(postgresql://[^:/?#@]*):(.*)@")


def without_password(text: str) -> str:
    """`text` without the password of a PostgreSQL URL in it."""
    return _PASSWORD.sub(r"\1@", text)


def storage_setting(text: str) -> str:
    """The setting `storage` from user input: without password, and with an absolute path for SQLite.

    Settings are printed and stored with the results. A password is moved to the environment variable
    PGPASSWORD of this process, where PostgreSQL clients look for it.
    """
    password = _PASSWORD.search(text)
    if password:
        os.environ["PGPASSWORD"] = unquote(password.group(2))
        return without_password(text)
    if text.startswith("sqlite:///"):
        return "sqlite:///" + str(Path(text.removeprefix("sqlite:///")).expanduser().absolute())
    return text


def storage_location(setting: str, experiment_folder: Path) -> str:
    """Argument of `open_storage` and of optuna-dashboard: the path of a journal, or a URL."""
    return str(experiment_folder / JOURNAL_FILE) if setting == JOURNAL else setting


def open_storage(location: str | Path, say: Callable[[str], None] = print) -> optuna.storages.BaseStorage:
    """The storage at a path (a journal file, created if missing) or URL, for the driver that leads its study.

    A damaged last line of a journal is removed and reported through `say`. Once it is open, a server that
    restarts is waited for (platform/search/server_restart.py), which is said too.

    UserError, within seconds: an unwritable folder, a full disk, a journal damaged elsewhere, a server that
    is unreachable or refuses the connection, a database of another Optuna version.
    """
    if "://" in str(location):
        storage = _open_database(str(location))
        if str(location).startswith("postgresql://"):
            Patience(without_password(str(location)), say).watch(storage.engine)
        return storage
    return _open_journal(Path(location), say)


def find_study(location: str, name: str) -> optuna.Study | None:
    """The study of that name, read-only; None if it does not exist. Writes nothing, not even the tables of a
    new database.

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
    """Close the connections of a database; a journal has none."""
    engine = getattr(storage, "engine", None)
    if engine is not None:
        engine.dispose()


def storage_failure(error: BaseException, location: str = "") -> str:
    """A database error in one line without full stop or password. location: of the database, if it is one."""
    cause = error.__cause__ or error
    reason = str(getattr(cause, "orig", None) or cause).strip().splitlines() or [type(cause).__name__]
    named = f" {location}" if "://" in location else ""
    return without_password(f"the study's storage{named} cannot be used ({reason[0].strip().rstrip('.')})")


@contextmanager
def storage_in_use(location: str) -> Iterator[None]:
    """A block whose database errors become a UserError that names the database.

    Optuna turns most into errors of its own, which name nothing.
    """
    import optuna
    import sqlalchemy.exc

    try:
        yield
    except (optuna.exceptions.StorageInternalError, sqlalchemy.exc.SQLAlchemyError) as error:
        raise UserError(
            f"{storage_failure(error, location)}. Finished results are kept; once it answers, run the same "
            "command again to continue."
        ) from error


def _open_journal(path: Path, say: Callable[[str], None] | None) -> optuna.storages.BaseStorage:
    """Read-only if `say` is None."""
    import optuna

    from platform.search.journal import Journal

    journal = Journal(path)
    if say is not None:
        journal.make_ready(say)
    try:
        return optuna.storages.JournalStorage(journal)
    except UserError:
        raise
    except Exception as error:  # Optuna fails in various ways on operations with wrong values
        raise journal.refuse_contents(error) from error


def _open_database(url: str) -> optuna.storages.RDBStorage:
    import optuna

    with _reachable(url):
        return optuna.storages.RDBStorage(url, engine_kwargs=_engine_settings(url))


def _has_tables(url: str) -> bool:
    """Whether the database has Optuna's tables. Opening a missing SQLite file would create it."""
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
        # Detects and reopens connections that the server or a firewall has closed.
        return {"connect_args": {"connect_timeout": CONNECT_SECONDS}, "pool_pre_ping": True}
    return {"connect_args": {"timeout": BUSY_SECONDS}}


@contextmanager
def _reachable(url: str) -> Iterator[None]:
    """Context that turns errors of an unusable database into UserError."""
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
        return "Check that the file's folder exists and is writable, or pass another --storage."
    if "password" in reason or "authentication" in reason:
        return "Put the password into PGPASSWORD or ~/.pgpass, or check the user name in --storage."
    return (
        "Check that the server runs and accepts this machine, and the host, port and database in --storage."
    )
