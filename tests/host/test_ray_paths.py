"""Paths that Ray works from: taken, replaced by a short one, or refused before anything starts."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.host import ray_paths
from platform.host.ray_paths import LONGEST_BYTES, check_paths, python_for_shells, ray_folder
from tests.distributed.processes import LINUX_ONLY

LONG = "/scratch/a-rather-long-folder-of-a-batch-system/job-1234567"


@pytest.mark.parametrize(
    "path", ["/mnt/a b/repo", "/mnt/ünï/repo", "/mnt/[x] (1)/repo", '/mnt/q"d $HOME/repo']
)
def test_a_checkout_with_spaces_brackets_or_other_letters_is_taken(path: str) -> None:
    check_paths({}, f"{path}/.venv/bin/python", Path(path))


@pytest.mark.parametrize(
    ("python", "checkout", "said"),
    [
        ("/mnt/it's/.venv/bin/python", "/mnt/x", r"a path that contains \"'\", but the Python"),
        ("/venv/bin/python", "/mnt/it's", r"but this checkout is \"/mnt/it's\"; move the checkout"),
        ("/venv/bin/python", "/mnt/a\\b", r"contains '\\\\', but this checkout"),
        ("/venv/bin/python", "/mnt/a\nb", r"contains '\\n', but this checkout"),
        ("/venv/bin/python", "/mnt/c:d", r"no packages in a folder with ':' in its path"),
    ],
)  # fmt: skip
def test_a_path_that_ray_or_python_cannot_use_is_refused(python: str, checkout: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_paths({}, python, Path(checkout))


@pytest.mark.parametrize("environment", [{}, {"TMPDIR": "/scratch"}, {"TMPDIR": LONG, "RAY_TMPDIR": "/tmp"}])
def test_a_short_folder_is_left_to_ray(environment: dict[str, str]) -> None:
    with ray_folder(environment) as folder:
        assert folder is None


@pytest.mark.parametrize("place", [LONG, "/it's", "/ünï", "relative"])
def test_an_unsuitable_tmpdir_gives_way_to_a_short_folder_that_only_we_can_read(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_paths, "SHORT_FOLDERS", tmp_path)
    check_paths({"TMPDIR": place})
    with ray_folder({"TMPDIR": place}) as folder:
        assert folder is not None
        made = Path(folder)
        assert made.parent == tmp_path
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert not made.exists()


@pytest.mark.parametrize(("place", "said"), [(LONG, r"\(59 bytes\)"), ("/it's", r"\(contains \"'\"\)")])
def test_an_unsuitable_ray_tmpdir_is_refused_with_a_remedy_that_helps(place: str, said: str) -> None:
    with pytest.raises(UserError, match=rf"RAY_TMPDIR must be .* {said}; set RAY_TMPDIR=/tmp"):
        check_paths({"RAY_TMPDIR": place})
    check_paths({"RAY_TMPDIR": "/tmp", "TMPDIR": place})


def test_where_no_short_folder_can_be_made_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_paths, "SHORT_FOLDERS", tmp_path / "none")
    with pytest.raises(UserError, match=r"but TMPDIR is .* set RAY_TMPDIR to"), ray_folder({"TMPDIR": LONG}):
        pass


@LINUX_ONLY
def test_the_longest_folder_leaves_room_for_rays_socket() -> None:
    from ray._private.utils import validate_socket_filepath

    session = "session_2026-11-28_02-44-03_447061_4194304"  # the largest process number of Linux
    validate_socket_filepath(f"/{'x' * (LONGEST_BYTES - 1)}/{session}/sockets/plasma_store")


def test_the_interpreter_is_quoted_only_where_a_shell_needs_it() -> None:
    assert python_for_shells("/mnt/me/repo/.venv/bin/python3.11") is None
    assert python_for_shells("/mnt/a b/.venv/bin/python") == "'/mnt/a b/.venv/bin/python'"
    assert python_for_shells(sys.executable) in (None, f"'{sys.executable}'")
