"""The commit of the code: of git, of a copy, of another process, or unknown."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform.host import checkout as module
from platform.host.checkout import (
    UNKNOWN,
    Checkout,
    checkout,
    describe,
    read_checkout,
    sources_hash,
    told_to_workers,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    (root / "platform").mkdir(parents=True)
    (root / "platform" / "a.py").write_text("")
    (root / "README.md").write_text("")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "a"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True)
    return root


@pytest.fixture
def asked_anew() -> Iterator[None]:
    checkout.cache_clear()
    yield
    checkout.cache_clear()


def head(root: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_clean_checkout_has_its_commit(repository: Path) -> None:
    assert read_checkout(repository) == Checkout(head(repository), True)


@pytest.mark.parametrize(
    ("folder", "name"), [("platform", "a.py"), ("platform", "b.py"), ("datasets", "a.py")]
)
def test_a_changed_or_new_source_makes_it_changed(folder: str, name: str, repository: Path) -> None:
    (repository / folder).mkdir(exist_ok=True)
    (repository / folder / name).write_text("x = 1")
    assert read_checkout(repository) == Checkout(head(repository), False)


def test_notes_and_data_beside_the_sources_do_not_count(repository: Path) -> None:
    (repository / "README.md").write_text("changed")
    (repository / "notes.txt").write_text("new")
    assert read_checkout(repository).clean is True


def test_variables_of_a_hook_do_not_name_another_repository(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert read_checkout(repository).clean is True


@pytest.mark.parametrize("git", ["/no/git", "false"])
def test_without_git_the_commit_is_unknown(git: str, repository: Path) -> None:
    assert read_checkout(repository, git) == UNKNOWN


def test_an_archive_inside_another_repository_does_not_have_that_ones_commit(repository: Path) -> None:
    archive = repository / "downloads" / "archive"
    (archive / "platform").mkdir(parents=True)
    assert read_checkout(archive) == UNKNOWN


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{COMMIT}\n", Checkout(COMMIT, True)),
        (f"{COMMIT}\n M platform/a.py\n", Checkout(COMMIT, False)),
        ("no commit\n", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_copy_without_git_has_the_commit_in_a_file(text: str, found: Checkout, tmp_path: Path) -> None:
    (tmp_path / "COMMIT").write_text(text)
    assert read_checkout(tmp_path, "/no/git") == found


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize(
    "known", [Checkout(COMMIT, True), Checkout(COMMIT, False), Checkout(COMMIT, None), UNKNOWN]
)
def test_a_worker_is_told_what_this_process_knows(known: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(module.TOLD, raising=False)
    monkeypatch.setattr(module, "read_checkout", lambda root: known)
    told = told_to_workers()
    checkout.cache_clear()
    monkeypatch.setattr(module, "read_checkout", lambda root: pytest.fail("git is not asked again"))
    monkeypatch.setenv(*told.popitem())
    assert checkout() == known


@pytest.mark.usefixtures("asked_anew")
def test_git_is_asked_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(module.TOLD, raising=False)
    asked = []
    monkeypatch.setattr(module, "read_checkout", lambda root: asked.append(root) or UNKNOWN)
    for _ in range(3):
        checkout()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"commit": COMMIT, "clean": True}, "0123456789ab (clean)"),
        ({"commit": COMMIT, "clean": False}, "0123456789ab (changed since)"),
        ({"commit": COMMIT, "clean": None}, "0123456789ab (unknown whether changed)"),
        ({"commit": None, "clean": None}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_person_reads_the_first_digits_and_the_state(facts: dict[str, object], text: str) -> None:
    assert describe(facts) == text


def test_the_hash_of_the_sources_is_that_of_names_and_contents(tmp_path: Path) -> None:
    for name in ("platform/one.py", "datasets/two.py", "tests/three.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    before = sources_hash(tmp_path)
    (tmp_path / "tests/three.py").write_text("2")
    (tmp_path / "platform/one.txt").write_text("2")
    assert sources_hash(tmp_path) == before
    (tmp_path / "datasets/two.py").write_text("2")
    changed = sources_hash(tmp_path)
    (tmp_path / "datasets/two.py").rename(tmp_path / "datasets/four.py")
    assert len({before, changed, sources_hash(tmp_path)}) == 3
