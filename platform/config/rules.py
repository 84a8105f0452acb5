"""The rule for the storage of studies."""

from __future__ import annotations

import urllib.parse

from platform.errors import UserError
from platform.files.addresses import without_secret


def check_storage(storage: str) -> None:
    """UserError: neither `journal` nor the URL of a supported database, or a URL with a password."""
    if storage == "journal" or (storage.startswith("sqlite:///") and storage != "sqlite:///"):
        return
    if not storage.startswith("postgresql://"):
        raise UserError(
            f"storage must be journal, sqlite:///FILE or postgresql://USER@HOST/DATABASE, but got "
            f"{without_secret(storage)!r}; change --storage."
        )
    url = urllib.parse.urlsplit(storage)
    if url.password is not None or "password=" in url.query:
        raise UserError(
            "storage must not hold a password, since settings are printed and stored with the results; put "
            "it into PGPASSWORD or ~/.pgpass."
        )
