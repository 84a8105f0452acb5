"""One driver leads an experiment: a lease with a counter that its owner raises while it lives.

Whether the owner of a lease lives is judged by watching the counter on one's own monotonic clock, never
by comparing clocks of two machines. On one machine the kernel knows at once: it drops a dead process's lock.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, Protocol

from platform.errors import UserError
from platform.files.json_files import parse_json
from platform.files.opening import MissingFile, open_lock, read_bytes, read_text

BEAT_SECONDS = 2.0
"""Time between two raises of the counter."""
WATCH_SECONDS = 10.0
"""An owner whose counter stands still for so long is dead: five beats."""
LEASE_BYTES = 512


def kernel_id() -> str:
    """Names the running kernel: processes with the same one share file locks and the monotonic clock."""
    try:
        return read_text(Path("/proc/sys/kernel/random/boot_id")).strip()
    except UserError:
        return socket.gethostname()  # no Linux


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Who leads, and how far its counter is."""

    owner: str
    """Random: no two drivers share it."""
    host: str
    process: int
    kernel: str
    counter: int = 0
    beat_at: float = 0.0
    """Owner's monotonic clock at the last beat; means nothing under another kernel."""

    @property
    def driver(self) -> str:
        """For messages."""
        return f"process {self.process} on {self.host}"


def _lease_from(content: Any) -> Lease | None:
    kinds = {"owner": str, "host": str, "process": int, "kernel": str, "counter": int, "beat_at": float}
    if not isinstance(content, dict) or not all(
        type(content.get(name)) is kind for name, kind in kinds.items()
    ):
        return None  # nothing there, or half of it
    return Lease(**{name: content[name] for name in kinds})


class LeaseSlot(Protocol):
    """A place for one lease that all drivers see."""

    def read(self) -> Lease | None:
        """The lease that is there; None where there is none."""

    def write(self, lease: Lease | None) -> None:
        """Put the lease there, or clear the place."""


class FileSlot:
    """A lease in a file that all nodes see.

    It is written in place, never renamed: an NFS client asks the server about a file when it opens it, but
    may keep a folder's old entries for half a minute.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Lease | None:
        """As the protocol says; half-written content counts as none. UserError: it cannot be read."""
        try:
            content = read_bytes(self._path, largest_bytes=100 * LEASE_BYTES, remedy="let it be read.")
        except MissingFile:
            return None
        with suppress(UserError):
            return _lease_from(parse_json(content, str(self._path)))
        return None

    def write(self, lease: Lease | None) -> None:
        """As the protocol says."""
        content = json.dumps(dataclasses.asdict(lease) if lease else None)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(handle, content.ljust(LEASE_BYTES).encode(), 0)
            os.fsync(handle)
        finally:
            os.close(handle)


class StudySlot:
    """A lease in an Optuna study, for storages that drivers with different folders can share."""

    KEY = "leader"

    def __init__(self, study: Any) -> None:
        self._study = study

    def read(self) -> Lease | None:
        """As the protocol says."""
        return _lease_from(self._study.user_attrs.get(self.KEY))

    def write(self, lease: Lease | None) -> None:
        """As the protocol says."""
        self._study.set_user_attr(self.KEY, dataclasses.asdict(lease) if lease else None)


@dataclass
class Leadership:
    """What the leader knows of its own position."""

    name: str
    lease: Lease
    follows: str | None = None
    """Random id of the dead owner whose place was taken."""
    lost_to: Lease | None = None
    """Another driver that has taken the place, while this one seemed dead."""
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def leading(
    folder: Path,
    *,
    beat_seconds: float = BEAT_SECONDS,
    watch_seconds: float = WATCH_SECONDS,
    say: Callable[[str], None] = print,
) -> Iterator[Leadership]:
    """Lead the experiment of that folder for the length of the block.

    UserError: another driver leads it (named by host, process and age of its last beat), or this one
    seemed dead meanwhile and another took over.
    """
    with _lock_file(folder) as file:
        slot, lease = FileSlot(folder / "driver.json"), _own_lease()
        lock, present = _kernel_lock(file), slot.read()
        here = present is not None and present.kernel == lease.kernel
        if lock == "held" and (here or present is None):
            raise _refusal(folder.name, present, _age_here(present))
        if present is not None and not (lock == "ours" and here):
            _watch(slot, present, folder.name, beat_seconds, watch_seconds, say)
        follows = present.owner if present else None
        leadership = Leadership(name=folder.name, lease=lease, follows=follows)
        with _held(slot, leadership, beat_seconds):
            yield leadership


@contextmanager
def leading_study(
    study: Any,
    leadership: Leadership,
    *,
    beat_seconds: float = BEAT_SECONDS,
    watch_seconds: float = WATCH_SECONDS,
    say: Callable[[str], None] = print,
) -> Iterator[None]:
    """Lead a study in a shared database too, as the same driver; UserError as `leading`."""
    slot = StudySlot(study)
    present = slot.read()
    # The dead driver of this experiment was this study's too: it need not be watched again.
    if present is not None and present.owner != leadership.follows:
        _watch(slot, present, study.study_name, beat_seconds, watch_seconds, say)
    same_driver = Leadership(name=study.study_name, lease=leadership.lease)
    with _held(slot, same_driver, beat_seconds):
        yield


def _own_lease() -> Lease:
    return Lease(owner=uuid.uuid4().hex, host=socket.gethostname(), process=os.getpid(), kernel=kernel_id())


def _lock_file(folder: Path) -> IO[bytes]:
    """UserError where the folder cannot be made or written, or something else has the file's name."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"the experiment needs the folder {folder}, but it cannot be made ({error.strerror}); pass "
            "another --runs or --name."
        ) from error
    return open_lock(folder / "driver.lock", remedy="let it be written, or pass another --runs or --name.")


def _kernel_lock(file: IO[bytes]) -> Literal["ours", "held", "none"]:
    """Whose the file's lock is; `none` on a file system without locks, where the counter decides alone."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return "ours"
    except BlockingIOError:
        return "held"
    except OSError:
        return "none"


def _age_here(lease: Lease | None) -> float | None:
    """Seconds since the last beat of a driver under our own kernel, whose clock is ours."""
    return None if lease is None else max(0.0, time.monotonic() - lease.beat_at)


def _refusal(name: str, lease: Lease | None, age_seconds: float | None) -> UserError:
    driver = lease.driver if lease else "another driver"
    age = "" if age_seconds is None else f" (last heartbeat {age_seconds:.1f} s ago)"
    return UserError(
        f"one driver may lead an experiment, but {driver}{age} leads {name}; wait for it, end it, or pass "
        f"another --name."
    )


def _watch(
    slot: LeaseSlot,
    present: Lease,
    name: str,
    beat_seconds: float,
    watch_seconds: float,
    say: Callable[[str], None],
) -> None:
    """Return when the owner seems dead; UserError as soon as its counter moves."""
    say(f"{present.driver} led {name}: watching for {watch_seconds:.0f} s whether it still lives ...")
    started = time.monotonic()
    while time.monotonic() - started < watch_seconds:
        time.sleep(beat_seconds / 10)
        now = slot.read()
        if now is not None and (now.owner, now.counter) != (present.owner, present.counter):
            raise _refusal(name, now, beat_seconds / 10)
    say(f"{present.driver} has shown no heartbeat for {watch_seconds:.0f} s: taking over.")


@contextmanager
def _held(slot: LeaseSlot, leadership: Leadership, beat_seconds: float) -> Iterator[None]:
    """The lease, renewed in a thread; cleared at the end."""
    slot.write(_renewed(leadership, 1))
    thread = threading.Thread(target=_beat, args=(slot, leadership, beat_seconds), daemon=True)
    thread.start()
    try:
        yield
    except BaseException as error:
        if leadership.lost_to is not None:
            raise _displaced(leadership) from error
        raise
    finally:
        leadership.ended.set()
        thread.join()
        if leadership.lost_to is None:
            with suppress(Exception):  # a lease left behind costs the next driver a wait, nothing else
                slot.write(None)
    if leadership.lost_to is not None:
        raise _displaced(leadership)


def _displaced(leadership: Leadership) -> UserError:
    assert leadership.lost_to is not None
    return UserError(
        f"this driver of {leadership.name} was not heard of in time, and {leadership.lost_to.driver} has "
        f"taken over; it stops here. What is finished is kept."
    )


def _renewed(leadership: Leadership, counter: int) -> Lease:
    return dataclasses.replace(leadership.lease, counter=counter, beat_at=time.monotonic())


def _beat(slot: LeaseSlot, leadership: Leadership, beat_seconds: float) -> None:
    """Raise the counter until the end, or until the lease is another driver's: then interrupt ourselves."""
    counter = 1
    while not leadership.ended.wait(beat_seconds):
        try:
            present = slot.read()
            if present is not None and present.owner != leadership.lease.owner:
                leadership.lost_to = present
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                return
            counter += 1
            slot.write(_renewed(leadership, counter))
        except Exception:  # a full disk, a server away: the next beat may do
            continue
