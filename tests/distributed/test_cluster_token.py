"""Where a cluster's token comes from, and that it is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform.distributed.cluster_token import token_here
from platform.errors import UserError

SECRET = "0123456789abcdef" * 4


def test_the_environment_comes_before_the_named_file_and_that_before_the_users(tmp_path: Path) -> None:
    (tmp_path / ".ray").mkdir()
    assert token_here({}, tmp_path) is None
    (tmp_path / ".ray" / "auth_token").write_text("of the user\n")
    (tmp_path / "named").write_text("named\n")
    named = {"RAY_AUTH_TOKEN_PATH": str(tmp_path / "named")}
    both = {"RAY_AUTH_TOKEN": "in the environment", **named}
    found = [token_here(environment, tmp_path) for environment in ({}, named, both)]
    assert [one.value for one in found if one] == ["of the user", "named", "in the environment"]
    assert found[2] is not None
    assert found[2].source == "RAY_AUTH_TOKEN"


def test_a_token_that_cannot_be_sent_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name the file with the cluster's token in RAY_AUTH_TOKEN_PATH"):
        token_here({"RAY_AUTH_TOKEN_PATH": str(tmp_path / "none")}, tmp_path)
    with pytest.raises(UserError, match="printable ASCII") as error:
        token_here({"RAY_AUTH_TOKEN": f"{SECRET}\nand more"}, tmp_path)
    assert SECRET not in str(error.value)
    found = token_here({"RAY_AUTH_TOKEN": SECRET}, tmp_path)
    assert SECRET not in repr(found)
