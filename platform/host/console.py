"""Safe standard output and standard error for every command.

A run of hours must not fail because its reader exited (`| head`), its terminal supports only ASCII, its disk
is full or cron closed its output. And a name in a data set must not send control codes to the terminal.
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
"""Control characters other than line feeds and tabs; bidirectional overrides, line separators, surrogates."""
_UNSAFE_IN_A_LINE = re.compile(rf"[\t\n]|{_UNSAFE.pattern}")
_RENEWAL = re.compile(r"\r(?:\x1b\[K)?")
"""Restart of a progress line. Allowed at the start of a write only, where it hides nothing else."""
_PLAIN = {
    "–": "-", "—": "-", "−": "-", "†": "^", "×": "x", "±": "+-", "λ": "lambda", "…": "...", "→": "->",
    "≥": ">=", "≤": "<=", "·": "*", "’": "'", "‘": "'", "“": '"', "”": '"',
    "✓": "+", "✗": "x",
}  # fmt: skip
"""Replacements for encodings that lack the character."""


def visible(text: str) -> str:
    """`text` with control characters, surrogates and bidirectional overrides escaped: `\\x1b`, `\\u202e`.

    Line feeds and tabs stay.
    """
    return _UNSAFE.sub(_written_out, text)


def one_line(text: str) -> str:
    """As `visible`, with line feeds and tabs escaped too: for a name in a cell, a heading or a sentence."""
    return _UNSAFE_IN_A_LINE.sub(_written_out, text)


def json_visible(document: str) -> str:
    """As `visible` for a JSON document, with JSON's own escapes (`\\u009b`), so that its value stays."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def encodable(text: str, encoding: str | None) -> str:
    """`text` with characters that `encoding` lacks replaced by the nearest ASCII or an escape (`\\u6012`)."""
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

    Text passes through `visible` and `encodable`, and is flushed after every line. The first failure ends
    all output to this stream and is reported once on standard error, unless the reader simply exited.
    """

    def __init__(self, stream: TextIO | None, name: str, *, descriptor: int | None = None) -> None:
        """stream: None where it was closed at the start; `descriptor` is then the number it would have.

        name: used in the message, `standard output`.
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
        """Do nothing: the underlying stream belongs to whoever opened it."""

    def flush(self) -> None:
        if self._stream is not None and not self._lost and not self._stream.closed:
            with self._losing():
                self._stream.flush()

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        """A block whose failure ends the output and is not raised."""
        try:
            yield
        except BlockingIOError:  # another process made the other end non-blocking, and its reader is slow
            with contextlib.suppress(OSError, ValueError):
                os.set_blocking(self.fileno(), True)
        except OSError as error:
            self._drain()
            self._lose(None if error.errno == errno.EPIPE else error.strerror or str(error))
        except ValueError as error:
            self._lose(str(error))

    def _drain(self) -> None:
        """Discard what is still buffered: writing it would fail again when Python exits."""
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
                f"note: {self._name} cannot be written ({reason}); "
                "further output is lost, the run continues.",
                file=told,
                flush=True,
            )


@contextlib.contextmanager
def safe_streams() -> Iterator[None]:
    """Make sys.stdout and sys.stderr SafeStreams for the block.

    After an unexpected exception they stay, because Python prints its traceback to them.
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
    """Open the null device for closed standard descriptors. Otherwise the next opened file would get the
    number, and a library or child process that writes to descriptor 1 or 2 would write into that file."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            os.set_inheritable(descriptor, True)
