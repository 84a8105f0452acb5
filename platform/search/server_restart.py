"""A database server that restarts in mid-search: connecting waits for it.

SQLAlchemy checks every connection before it is used and replaces a closed one, so a server that was away
between two statements is noticed when a connection is made, before anything has been sent: trying that again
repeats no write. A server that dies within a statement ends the search with one sentence instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

AWAY_SECONDS = 60.0
"""How long a server may be away. A restart takes seconds; a managed service that moves a database to another
machine takes about a minute."""
PAUSE_SECONDS = 0.5


class Patience:
    """Makes the connections of one engine, and waits while its server is away.

    All threads share the wait, the one that renews the lease too: after AWAY_SECONDS without any connection
    each attempt fails at once, so that the command ends.
    """

    def __init__(self, place: str, say: Callable[[str], None], away_seconds: float | None = None) -> None:
        """place: the server, for the message, without password. away_seconds: default AWAY_SECONDS."""
        self._place, self._say = place, say
        self._away_seconds = AWAY_SECONDS if away_seconds is None else away_seconds
        self._deadline: float | None = None
        self._one_at_a_time = threading.Lock()

    def watch(self, engine: Any) -> None:
        """Make all further connections of a SQLAlchemy engine."""
        import sqlalchemy

        sqlalchemy.event.listen(engine, "do_connect", self._connect)

    def _connect(self, dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        while True:
            try:
                connection = dialect.connect(*arguments, **options)
            except dialect.loaded_dbapi.OperationalError as error:
                if not self._may_wait(error):
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                self._deadline = None
                return connection

    def _may_wait(self, error: BaseException) -> bool:
        """Whether there is time left; the first of all waiting threads says so."""
        with self._one_at_a_time:
            if self._deadline is None:
                self._deadline = time.monotonic() + self._away_seconds
                reason = str(error).strip().splitlines()[0]
                self._say(
                    f"{self._place} does not answer ({reason}): waiting up to {self._away_seconds:.0f} s for "
                    "it. Fold runs go on."
                )
            return time.monotonic() < self._deadline
