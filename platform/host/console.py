"""Standard output and standard error of every command: made safe in one place.

A run of hours must not end because its reader left (`| head`), its terminal knows only ASCII, its disk is
full or its output was closed by cron. And a name in a data set must not give orders to the terminal.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import TextIO

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for line ends and tabs; what reorders or ends lines; bytes that were no text."""
_UNSAFE_IN_A_LINE = re.compile(rf"[\t\n]|{_UNSAFE.pattern}")
_RENEWAL = re.compile(r"\r(?:\x1b\[K)?")
"""How a progress line starts anew. Allowed at the start of a write, where it can hide nothing else."""
_PLAIN = {
    "–": "-", "—": "-", "−": "-", "†": "^", "×": "x", "±": "+-", "λ": "lambda", "…": "...", "→": "->",
    "≥": ">=", "≤": "<=", "·": "*", "’": "'", "‘": "'", "“": '"', "”": '"',
}  # fmt: skip
"""What an encoding without the character shows instead."""


def visible(text: str) -> str:
    """`text` with control characters, surrogates and bidirectional overrides written as `\\x1b`, `\\u202e`.

    Line ends and tabs stay.
    """
    return _UNSAFE.sub(_written_out, text)


def one_line(text: str) -> str:
    """As `visible`, and line ends and tabs are written out too: a name in a cell, a heading, a sentence."""
    return _UNSAFE_IN_A_LINE.sub(_written_out, text)


def json_visible(document: str) -> str:
    """As `visible` for a JSON document, which stays the same document: characters as `\\u009b`."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def encodable(text: str, encoding: str | None) -> str:
    """`text` with what `encoding` lacks replaced by the nearest ASCII, or by its code (`\\u6012`)."""
    if encoding is None:
        return text
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_nearest(character, encoding) for character in text)
    return text


def _nearest(character: str, encoding: str) -> str:
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    for candidate in (character, _PLAIN.get(character, plain)):
        with contextlib.suppress(UnicodeEncodeError):
            candidate.encode(encoding)
            if candidate:
                return candidate
    return character.encode("unicode_escape").decode("ascii")


class SafeStream(io.TextIOBase):
    """A text stream whose writes never raise OSError, UnicodeError or ValueError.

    What is written passes `visible` and `encodable`, and is flushed after every line. The first failure ends
    all output to this stream; standard error says so once, unless the reader left, who knows.
    """

    def __init__(self, stream: TextIO | None, name: str, *, descriptor: int | None = None) -> None:
        """stream: None where it was closed at the start; then `descriptor` is the number it would have.

        name: what the message calls it, `standard output`.
        """
        self._stream = stream
        self._name = name
        self._descriptor = descriptor
        self._lost = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        if self._stream is not None:
            return self._stream.fileno()
        if self._descriptor is None:
            raise io.UnsupportedOperation("fileno")
        return self._descriptor

    def isatty(self) -> bool:
        try:
            return not self._lost and self._stream is not None and self._stream.isatty()
        except ValueError:  # closed
            return False

    def write(self, text: str) -> int:
        if self._lost or not text:
            return len(text)
        if self._stream is None:
            self._lose("it is closed")
            return len(text)
        renewal = found[0] if (found := _RENEWAL.match(text)) else ""
        safe = encodable(renewal + visible(text[len(renewal) :]), getattr(self._stream, "encoding", None))
        with self._losing():
            self._stream.write(safe)
            if "\n" in safe:
                self._stream.flush()
        return len(text)

    def close(self) -> None:
        """Nothing: the stream below belongs to whoever opened it (and Python closes what it forgets)."""

    def flush(self) -> None:
        if self._stream is not None and not self._lost and not self._stream.closed:
            with self._losing():
                self._stream.flush()

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        """A failure of the block ends the output, and is not raised."""
        try:
            yield
        except BlockingIOError:  # the other end was made non-blocking by someone, and is slow
            with contextlib.suppress(OSError, ValueError):
                os.set_blocking(self.fileno(), True)
        except OSError as error:
            self._drain()
            self._lose(None if error.errno == errno.EPIPE else error.strerror or str(error))
        except ValueError as error:
            self._lose(str(error))

    def _drain(self) -> None:
        """Let what is still buffered go nowhere: it would fail again when Python ends."""
        with contextlib.suppress(OSError, ValueError):
            descriptor = self.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor, inheritable=descriptor <= 2)
            os.close(nowhere)

    def _lose(self, reason: str | None) -> None:
        self._lost = True
        told = sys.stderr
        if reason is None or told is None or told is self:
            return
        with contextlib.suppress(OSError, ValueError):
            print(
                f"note: {self._name} cannot be written ({reason}); further output is lost, the work goes on.",
                file=told,
                flush=True,
            )


@contextlib.contextmanager
def safe_streams() -> Iterator[None]:
    """sys.stdout and sys.stderr as SafeStreams for the length of the block.

    They stay after an exception that is a fault of ours: Python prints its traceback to them.
    """
    _fill_closed_descriptors()
    before = sys.stdout, sys.stderr
    sys.stderr = SafeStream(sys.stderr, "standard error", descriptor=2)
    sys.stdout = SafeStream(sys.stdout, "standard output", descriptor=1)
    try:
        yield
    except SystemExit:
        _end(*before)
        raise
    _end(*before)


def _end(stdout: TextIO, stderr: TextIO) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    sys.stdout, sys.stderr = stdout, stderr


def _fill_closed_descriptors() -> None:
    """Closed standard descriptors become the null device: else the next file that is opened gets the
    number, and whoever writes to descriptor 1 or 2 (a library, a child) writes into that file."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            os.set_inheritable(descriptor, True)
