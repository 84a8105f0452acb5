"""Leadership of an experiment by one driver: a lease with a counter that its owner raises while it lives.

Another driver judges whether the owner lives by watching the counter on its own monotonic clock, never by
comparing clocks of two machines. On the same machine the kernel tells at once, because it drops the lock of a
dead process.

A driver that seemed dead (stopped, suspended, disconnected) may wake up. It therefore checks its lease before
every write that only the leader may make (`Leadership.check`, `check_leading`).
"""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platform.errors import LeaseLost, UserError
from platform.experiments.lease import UNKNOWN, FileSlot, Lease, LeaseSlot, StudySlot, kernel_id
from platform.files.local_storage import LOCAL
from platform.files.locks import LockState
from platform.files.storage import Storage

LEASE_FILE = "driver.json"
LOCK_FILE = "driver.lock"
BEAT_SECONDS = 2.0
"""Time between two heartbeats, which raise the counter."""
STOP_AGAIN_SECONDS = 15.0
"""Time after which a driver that has not stopped is interrupted again."""
LOOKS_FOR_A_LEASE = 3
"""Attempts at reading: a lease can look damaged, and so absent, while it is being written."""
WATCH_SECONDS = 10.0
"""An owner whose counter has not moved for this long (five heartbeats) counts as dead."""


@dataclass
class Leadership:
    """The leader's view of its own position."""

    name: str
    lease: Lease
    slot: LeaseSlot
    stop: Callable[[], None]
    """Interrupts the main thread."""
    follows: str | None = None
    """Random id of the dead owner that this driver replaced, if any."""
    lost_to: Lease | None = None
    """The driver that took over while this one seemed dead."""
    also: list[Leadership] = field(default_factory=list)
    """Further leases that the same driver must hold."""
    ended: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Call before a write that only the leader may make. LeaseLost: another driver has taken over."""
        if self.lost_to is None and not self.ended.is_set():
            self.lost_to = _other(self.slot, self.lease)
        if self.lost_to is not None:
            raise _displaced(self)
        for one in self.also:
            one.check()

    def leads(self) -> bool:
        """Whether `check` would pass."""
        try:
            self.check()
        except UserError:
            return False
        return True


_LED: dict[Path, Leadership] = {}
"""The experiment folders that this process leads."""


def check_leading(path: Path) -> None:
    """Call before writing to `path`. LeaseLost: it lies in an experiment's folder that this process led, and
    another driver has taken over. Outside such folders everything is allowed."""
    for folder, leadership in list(_LED.items()):
        if path.absolute().is_relative_to(folder):
            leadership.check()


def lease_slot(folder: Path, storage: Storage = LOCAL) -> FileSlot:
    """The place of the lease of the experiment in that folder."""
    return FileSlot(folder / LEASE_FILE, storage)


@contextmanager
def leading(
    folder: Path,
    *,
    beat_seconds: float = BEAT_SECONDS,
    watch_seconds: float = WATCH_SECONDS,
    say: Callable[[str], None] = print,
    storage: Storage = LOCAL,
) -> Iterator[Leadership]:
    """Lead the experiment of that folder for the block.

    Raises UserError where another driver leads it (with host, process and age of the last heartbeat), and
    LeaseLost where this driver seemed dead and another one took over.
    """
    slot, lease = lease_slot(folder, storage), _own_lease()
    with _stoppable() as stop, _lock(folder, storage) as lock:
        present = slot.read()
        here = present is not None and present.kernel == lease.kernel
        if lock == "held" and (here or present is None):
            raise _refusal(folder.name, present, _age_here(present))
        if present is not None and not (lock == "acquired" and here):
            _watch(slot, present, folder.name, beat_seconds, watch_seconds, say)
        follows = present.owner if present else None
        leadership = Leadership(name=folder.name, lease=lease, slot=slot, stop=stop, follows=follows)
        with _held(leadership, beat_seconds):
            _LED[folder.absolute()] = leadership
            try:
                yield leadership
            finally:
                del _LED[folder.absolute()]


@contextmanager
def leading_study(
    study: Any,
    leadership: Leadership,
    *,
    beat_seconds: float = BEAT_SECONDS,
    watch_seconds: float = WATCH_SECONDS,
    say: Callable[[str], None] = print,
) -> Iterator[None]:
    """Also lead a study in a shared database, as the same driver. Raises as `leading`."""
    slot = StudySlot(study)
    present = slot.read()
    # The dead driver of this experiment also led this study: it need not be watched again.
    if present is not None and present.owner != leadership.follows:
        _watch(slot, present, study.study_name, beat_seconds, watch_seconds, say)
    same_driver = Leadership(name=study.study_name, lease=leadership.lease, slot=slot, stop=leadership.stop)
    with _held(same_driver, beat_seconds):
        leadership.also.append(same_driver)
        try:
            yield
        finally:
            leadership.also.remove(same_driver)


@contextmanager
def _lock(folder: Path, storage: Storage) -> Iterator[LockState]:
    """Try the kernel's lock; where the file system has none, the counter decides alone.

    UserError: the folder cannot be made or written, or something else has the file's name.
    """
    remedy = "make it writable, or pass another --runs or --name."
    with ExitStack() as stack:
        try:
            state = stack.enter_context(storage.lock(folder / LOCK_FILE, remedy=remedy))
        except OSError as error:
            raise UserError(
                f"the experiment needs the folder {folder}, but it cannot be made ({error.strerror}); pass "
                "another --runs or --name."
            ) from error
        yield state


def _unwritable(folder: Path | str, error: OSError) -> UserError:
    return UserError(
        f"the experiment's folder must be writable, but {error.filename or folder} is not "
        f"({error.strerror}); free space, or choose another --runs."
    )


@contextmanager
def _stoppable() -> Iterator[Callable[[], None]]:
    """A function that raises KeyboardInterrupt in the main thread, whatever that is waiting for.

    SIGINT is unsuitable: a driver started in the background (`cmd &`, cron, ssh) ignores it, and must keep
    ignoring a Ctrl-C meant for others.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None  # Python delivers signals to the main thread only; `check` still protects writes
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR2, interrupt)
    main = threading.get_ident()
    try:
        yield lambda: signal.pthread_kill(main, signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)


def _own_lease() -> Lease:
    return Lease(owner=uuid.uuid4().hex, host=socket.gethostname(), process=os.getpid(), kernel=kernel_id())


def _age_here(lease: Lease | None) -> float | None:
    """Seconds since the last heartbeat of a driver under the same kernel, with which it shares its clock."""
    return None if lease is None else max(0.0, time.monotonic() - lease.beat_at)


def _refusal(name: str, lease: Lease | None, age_seconds: float | None) -> UserError:
    driver = lease.driver if lease else "another driver"
    age = "" if age_seconds is None else f" (last heartbeat {age_seconds:.1f} s ago)"
    return UserError(
        f"only one driver may lead an experiment, but {driver}{age} leads {name}; wait for it, end it, or "
        f"pass another --name."
    )


def _watch(
    slot: LeaseSlot,
    present: Lease,
    name: str,
    beat_seconds: float,
    watch_seconds: float,
    say: Callable[[str], None],
) -> None:
    """Return once the owner counts as dead; UserError as soon as its counter moves."""
    say(f"{present.driver} led {name}: waiting {watch_seconds:.0f} s for a heartbeat of it ...")
    started = time.monotonic()
    while time.monotonic() - started < watch_seconds:
        time.sleep(beat_seconds / 10)
        now = slot.read()
        if now is not None and (now.owner, now.counter) != (present.owner, present.counter):
            raise _refusal(name, now, beat_seconds / 10)
    say(f"{present.driver} has shown no heartbeat for {watch_seconds:.0f} s: taking over.")


@contextmanager
def _held(leadership: Leadership, beat_seconds: float) -> Iterator[None]:
    """Hold the lease for the block: a thread renews it, and it is cleared at the end."""
    try:
        leadership.slot.write(_renewed(leadership, 1))
    except OSError as error:
        raise _unwritable(leadership.name, error) from error
    thread = threading.Thread(target=_beat, args=(leadership, beat_seconds), daemon=True)
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
            with suppress(Exception):  # a remaining lease only makes the next driver wait
                leadership.slot.write(None)
    if leadership.lost_to is not None:
        raise _displaced(leadership)


def _displaced(leadership: Leadership) -> LeaseLost:
    assert leadership.lost_to is not None
    return LeaseLost(
        f"this driver's lease of {leadership.name} expired, and {leadership.lost_to.driver} has taken over; "
        f"it stops here. Finished results are kept."
    )


def _renewed(leadership: Leadership, counter: int) -> Lease:
    return dataclasses.replace(leadership.lease, counter=counter, beat_at=time.monotonic())


def _other(slot: LeaseSlot, own: Lease) -> Lease | None:
    """The driver that now holds the lease; None while the owner of `own` holds it."""
    for look in range(LOOKS_FOR_A_LEASE):
        if look:
            time.sleep(0.05)
        present = slot.read()
        if present is not None:
            return None if present.owner == own.owner else present
    return UNKNOWN


def _beat(leadership: Leadership, beat_seconds: float) -> None:
    """Raise the counter until the end, or until another driver holds the lease; then stop the main thread."""
    counter = 1
    while not leadership.ended.wait(beat_seconds):
        try:
            leadership.lost_to = leadership.lost_to or _other(leadership.slot, leadership.lease)
            if leadership.lost_to is not None:
                break
            counter += 1
            leadership.slot.write(_renewed(leadership, counter))
        except Exception:  # a full disk, an unreachable server: the next heartbeat may succeed
            continue
    while not leadership.ended.is_set():
        leadership.stop()  # an exception raised while objects are being deleted is lost, hence the repetition
        leadership.ended.wait(STOP_AGAIN_SECONDS)
