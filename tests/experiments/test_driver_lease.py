"""Who may lead: one driver; the next when it is dead; never two for longer than a beat."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.errors import UserError
from platform.experiments.driver_lease import check_leading, leading, leading_study
from platform.experiments.lease import FileSlot, Lease, LeaseSlot, StudySlot, kernel_id
from platform.experiments.led_files import write_as_leader
from platform.experiments.led_storage import WRITES, led_storage
from platform.files.local_storage import LocalStorage
from platform.files.locks import LockState
from platform.search.storage import close_storage, open_storage
from tests.files.memory_storage import MemoryStorage

BEAT, WATCH = 0.1, 1.0
ELSEWHERE = Lease(
    # Its clock is far ahead of ours: nothing may compare them.
    owner="other", host="node7", process=41, kernel="another kernel", counter=3, beat_at=1e12,
)  # fmt: skip


def lead(folder: Path, said: list[str] | None = None) -> AbstractContextManager[Any]:
    said = [] if said is None else said
    return leading(folder, beat_seconds=BEAT, watch_seconds=WATCH, say=said.append)


def outcome_of_locking(state: LockState) -> Callable[..., AbstractContextManager[LockState]]:
    """Stands in for LocalStorage.lock."""
    return lambda *arguments, **options: contextlib.nullcontext(state)


@contextmanager
def beating(slot: LeaseSlot, lease: Lease) -> Iterator[None]:
    """A driver on another machine that raises its counter."""
    ended = threading.Event()

    def beat() -> None:
        counter = lease.counter
        while not ended.wait(BEAT):
            counter += 1
            slot.write(dataclasses.replace(lease, counter=counter))

    slot.write(lease)
    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_second_driver_is_refused_with_host_process_and_age(tmp_path: Path) -> None:
    with lead(tmp_path / "exp"):
        with pytest.raises(UserError) as refusal, lead(tmp_path / "exp"):
            pass
        message = str(refusal.value)
    assert f"process {os.getpid()} on " in message
    assert "(last heartbeat 0." in message
    assert "s ago) leads exp" in message
    assert "--name" in message


def test_the_lease_stands_on_any_storage(tmp_path: Path) -> None:
    storage, folder = MemoryStorage(), tmp_path / "exp"

    def lead_in_memory() -> AbstractContextManager[Any]:
        return leading(folder, beat_seconds=BEAT, watch_seconds=WATCH, say=lambda line: None, storage=storage)

    with lead_in_memory() as leadership:
        with pytest.raises(UserError, match="leads exp"):
            lead_in_memory().__enter__()
        assert leadership.leads()
        FileSlot(folder / "driver.json", storage).write(ELSEWHERE)
        assert not leadership.leads()
        FileSlot(folder / "driver.json", storage).write(leadership.lease)
        leadership.lost_to = None
    assert FileSlot(folder / "driver.json", storage).read() is None
    assert not folder.exists()


def test_leading_after_a_clean_end_waits_for_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        with lead(tmp_path / "exp", said) as leadership:
            assert leadership.follows is None
    assert said == []


def test_the_counter_rises_while_the_driver_lives(tmp_path: Path) -> None:
    with lead(tmp_path / "exp"):
        slot = FileSlot(tmp_path / "exp" / "driver.json")
        first = slot.read()
        time.sleep(5 * BEAT)
        second = slot.read()
    assert first is not None
    assert second is not None
    assert second.counter > first.counter
    assert second.beat_at > first.beat_at


def test_a_dead_driver_of_this_machine_is_followed_at_once(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "exp").mkdir()
    dead = dataclasses.replace(ELSEWHERE, kernel=kernel_id())
    FileSlot(tmp_path / "exp" / "driver.json").write(dead)
    with lead(tmp_path / "exp", said) as leadership:
        assert leadership.follows == "other"
    assert said == []


def test_a_live_driver_of_another_machine_is_refused_as_soon_as_its_counter_moves(tmp_path: Path) -> None:
    (tmp_path / "exp").mkdir()
    with beating(FileSlot(tmp_path / "exp" / "driver.json"), ELSEWHERE):
        started = time.monotonic()
        with pytest.raises(UserError, match=r"process 41 on node7 \(last heartbeat 0\.\d s ago\) leads exp"):
            lead(tmp_path / "exp").__enter__()
        assert time.monotonic() - started < WATCH


@pytest.mark.parametrize("locked", [False, True])
def test_a_silent_driver_of_another_machine_is_followed_after_the_watch(
    tmp_path: Path, locked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`locked`: a file server that still holds the dead machine's lock."""
    said: list[str] = []
    (tmp_path / "exp").mkdir()
    FileSlot(tmp_path / "exp" / "driver.json").write(ELSEWHERE)
    if locked:
        monkeypatch.setattr(LocalStorage, "lock", outcome_of_locking("held"))
    started = time.monotonic()
    with lead(tmp_path / "exp", said) as leadership:
        assert time.monotonic() - started >= WATCH
        assert leadership.follows == "other"
    assert [line.split(":")[0] for line in said] == [
        "process 41 on node7 led exp",
        f"process 41 on node7 has shown no heartbeat for {WATCH:.0f} s",
    ]


def test_without_file_locks_the_counter_decides_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exp").mkdir()
    monkeypatch.setattr(LocalStorage, "lock", outcome_of_locking("unsupported"))
    with lead(tmp_path / "exp"), pytest.raises(UserError, match="leads exp"):
        lead(tmp_path / "exp").__enter__()


@pytest.mark.parametrize("sigint", [signal.default_int_handler, signal.SIG_IGN])
def test_a_displaced_driver_stops_with_a_message_and_leaves_the_place_alone(
    tmp_path: Path, sigint: Any
) -> None:
    """Also one that ignores SIGINT, as a shell's `cmd &`, cron and ssh have it."""
    slot = FileSlot(tmp_path / "exp" / "driver.json")

    def lose() -> None:
        with lead(tmp_path / "exp"):
            slot.write(ELSEWHERE)
            time.sleep(60)  # interrupted

    before = signal.signal(signal.SIGINT, sigint)
    try:
        with pytest.raises(UserError, match="process 41 on node7 has taken over"):
            lose()
    finally:
        signal.signal(signal.SIGINT, before)
    assert slot.read() == ELSEWHERE


def test_a_driver_whose_place_was_cleared_by_another_one_that_has_ended_stops_too(tmp_path: Path) -> None:
    slot = FileSlot(tmp_path / "exp" / "driver.json")

    def lose() -> None:
        with lead(tmp_path / "exp"):
            slot.write(None)
            time.sleep(60)  # interrupted

    with pytest.raises(UserError, match="another driver has taken over"):
        lose()


def test_a_driver_that_swallows_the_interruption_is_stopped_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.experiments.driver_lease.STOP_AGAIN_SECONDS", 0.1)
    slot = FileSlot(tmp_path / "exp" / "driver.json")

    def lose() -> None:
        with lead(tmp_path / "exp"):
            slot.write(ELSEWHERE)
            with contextlib.suppress(KeyboardInterrupt):
                time.sleep(60)
            time.sleep(60)

    with pytest.raises(UserError, match="has taken over"):
        lose()


def test_a_driver_that_wakes_up_displaced_writes_nothing_more(tmp_path: Path) -> None:
    """Before its own beat has noticed anything: the process was stopped, and so was its thread."""
    folder, outside = tmp_path / "exp", tmp_path / "elsewhere.md"

    def lose() -> None:
        with leading(folder, beat_seconds=600) as leadership:
            write_as_leader(folder / "table.md", "mine")
            assert leadership.leads()
            FileSlot(folder / "driver.json").write(ELSEWHERE)
            assert not leadership.leads()
            write_as_leader(outside, "anybody may write here")
            with pytest.raises(UserError, match="process 41 on node7 has taken over"):
                write_as_leader(folder / "table.md", "late")
            with pytest.raises(UserError, match="has taken over"):
                check_leading(folder / "figures" / "study.png")

    with pytest.raises(UserError, match="has taken over"):
        lose()
    assert (folder / "table.md").read_text() == "mine"
    assert outside.exists()
    write_as_leader(folder / "table.md", "not led by this process, as platform.table writes it")


@pytest.mark.parametrize("place", ["{folder}/study.journal", "sqlite:///{folder}/study.db"])
def test_a_study_gets_no_write_of_a_displaced_driver(tmp_path: Path, place: str) -> None:
    raw = open_storage(place.format(folder=tmp_path))
    leads = [True]

    def check() -> None:
        if not leads[0]:
            raise UserError("another driver has taken over.")

    led = led_storage(raw, check)
    study = optuna.create_study(study_name="one", storage=led)
    trial = study.ask()
    trial.suggest_float("rate", 0, 1)
    leads[0] = False
    acts: list[Callable[[], object]] = [
        study.ask,
        lambda: study.tell(trial, 0.5),
        lambda: trial.set_user_attr("folds", 1),
        lambda: trial.report(0.5, 1),
        lambda: trial.suggest_float("other", 0, 1),
        lambda: study.set_user_attr("wanted", 1),
        lambda: study.enqueue_trial({"rate": 0.5}),
        lambda: optuna.create_study(study_name="two", storage=led),
        lambda: optuna.delete_study(study_name="one", storage=led),
    ]
    for act in acts:
        with pytest.raises(UserError, match="has taken over"):
            act()
    assert [one.state.name for one in study.trials] == ["RUNNING"], "reading is everybody's"
    close_storage(raw)


def test_every_write_of_optunas_storages_is_known() -> None:
    """Else a new version of Optuna could write past the check."""
    names = {name for name in vars(optuna.storages.BaseStorage) if not name.startswith("_")}
    reads = {name for name in names if name.startswith(("get_", "check_"))} | {"remove_session"}
    assert names - reads == set(WRITES)


def test_an_interruption_by_the_user_stays_one(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), lead(tmp_path / "exp"):
        raise KeyboardInterrupt
    assert FileSlot(tmp_path / "exp" / "driver.json").read() is None


@pytest.mark.parametrize("content", ["", "{", '{"owner": "x"}', "null", "7"])
def test_a_lease_half_written_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "driver.json"
    path.write_text(content)
    assert FileSlot(path).read() is None


def test_a_shorter_lease_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    slot = FileSlot(tmp_path / "driver.json")
    for lease in (dataclasses.replace(ELSEWHERE, host="h" * 60), ELSEWHERE):
        slot.write(lease)
        assert slot.read() == lease
    assert len(json.dumps(dataclasses.asdict(dataclasses.replace(ELSEWHERE, host="h" * 253)))) < 512


@pytest.fixture
def new_study(tmp_path: Path) -> Iterator[Callable[[], optuna.Study]]:
    """Opens a study in a database that several folders share."""
    storage = open_storage(f"sqlite:///{tmp_path}/study.db")
    yield lambda: optuna.create_study(study_name="shared", storage=storage, load_if_exists=True)
    close_storage(storage)


def lead_study(study: optuna.Study, leadership: Any) -> AbstractContextManager[None]:
    return leading_study(study, leadership, beat_seconds=BEAT, watch_seconds=WATCH, say=lambda line: None)


def test_a_study_in_a_database_is_led_by_one_folder_only(
    tmp_path: Path, new_study: Callable[[], optuna.Study]
) -> None:
    with (
        lead(tmp_path / "one") as first,
        lead_study(new_study(), first),
        lead(tmp_path / "other") as second,
        pytest.raises(UserError, match=rf"process {os.getpid()} on .* leads shared"),
    ):
        lead_study(new_study(), second).__enter__()
    assert StudySlot(new_study()).read() is None


def test_a_dead_drivers_study_is_followed_without_a_second_watch(
    tmp_path: Path, new_study: Callable[[], optuna.Study]
) -> None:
    dead = dataclasses.replace(ELSEWHERE, kernel=kernel_id())
    (tmp_path / "exp").mkdir()
    FileSlot(tmp_path / "exp" / "driver.json").write(dead)
    StudySlot(new_study()).write(dead)
    with lead(tmp_path / "exp") as leadership:
        started = time.monotonic()
        with lead_study(new_study(), leadership):
            assert time.monotonic() - started < WATCH


PROGRAM = """
import sys, time
from pathlib import Path
from platform.experiments.driver_lease import leading
with leading(Path(sys.argv[1]), beat_seconds=0.1):
    print("leads", flush=True)
    time.sleep(120)
"""


def test_a_stopped_process_is_refused_with_its_age_and_a_killed_one_followed_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "exp"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "leads\n"
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            with pytest.raises(UserError, match=rf"process {process.pid} on .*\(last heartbeat [1-9]"):
                lead(folder).__enter__()
        finally:
            process.kill()
    said: list[str] = []
    with lead(folder, said):
        assert said == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"owner": "a"}', b"x" * 100_000,
     b'{"owner": "a", "host": "b", "process": "c", "kernel": "d", "counter": "e", "beat_at": "f"}'],
)  # fmt: skip
def test_a_damaged_lease_counts_as_none_or_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "exp").mkdir()
    (tmp_path / "exp" / "driver.json").write_bytes(content)
    if len(content) > 50_000:
        with pytest.raises(UserError, match=r"driver\.json has 100,000 bytes"):
            lead(tmp_path / "exp").__enter__()
    else:
        with lead(tmp_path / "exp") as leadership:
            assert leadership.follows is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["driver.json", "driver.lock"])
def test_what_is_no_file_in_its_place_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "exp").mkdir()
    os.mkfifo(tmp_path / "exp" / name)
    with pytest.raises(UserError, match=f"{name} is a named pipe"):
        lead(tmp_path / "exp").__enter__()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "experiments").write_text("x")
    with pytest.raises(UserError, match=r"needs the folder .*experiments/exp, but .*\(Not a directory\)"):
        lead(tmp_path / "experiments" / "exp").__enter__()
