"""Argument parser, error output and exit statuses of all commands.

Exit status: 0 success, 1 completed but something failed or was found, 2 an error that the user can correct
(bad input, a full disk), 70 a bug in this program, 129 hung up (SIGHUP: the terminal closed), 130 interrupted
by Ctrl-C, 143 terminated (SIGTERM) while Ray runs.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

from platform.cli.given_paths import refuse_addresses
from platform.cli.short_help import HelpAll, Usual, short_help
from platform.errors import ClusterLost, HungUp, LeaseLost, Terminated, UserError
from platform.host.console import one_line, safe_streams
from platform.host.launcher import pasteable


class Parser(argparse.ArgumentParser):
    """argparse that names the nearest known flag if a flag is unknown, and whose help is one screen.

    usual: the flags that `--help` shows (platform/cli/short_help.py); None: all, and no `--help-all`.
    """

    def __init__(self, *, usual: Usual | None = None, **options: object) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **options,  # type: ignore[arg-type]
        )
        self.elsewhere: Mapping[str, str] = {}
        """Flags that other methods than the chosen one have, to the names of these methods."""
        self.usual = usual
        self.shown_defaults: dict[str, str] = {}
        """Flag to its default, as help shows it."""
        if usual is not None:
            self.add_argument(
                "--help-all", action=HelpAll, nargs=0, help="show every flag, in groups, and exit"
            )
        # argparse would read -1e-4 as a flag and report a missing value.
        self._negative_number_matcher = re.compile(r"^-(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$", re.IGNORECASE)

    def parse_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        refuse_addresses(sys.argv[1:] if args is None else args)
        namespace, unknown = self.parse_known_args(args, namespace)
        if unknown and (methods := self.elsewhere.get(unknown[0].split("=")[0])):
            chosen = self.get_default("options_of")
            self.error(
                f"{unknown[0].split('=')[0]} is an option of {methods}, but the method is {chosen}; remove "
                "it, or pass another --method"
            )
        if unknown:
            known = sorted(self._known_flags())
            nearest = difflib.get_close_matches(unknown[0].split("=")[0], known, n=1)
            hint = f"did you mean {nearest[0]}? " if nearest else ""
            self.error(f"unknown argument {unknown[0]!r}; {hint}Known flags: {', '.join(known)}")
        return namespace

    def _all_actions(self) -> Iterator[argparse.Action]:
        """Of this parser and of its subcommands, which pass on to it what they do not know."""
        for action in self._actions:
            yield action
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    yield from parser._actions

    def _known_flags(self) -> list[str]:
        """All flags but those that help does not show."""
        shown = [action for action in self._all_actions() if action.help != argparse.SUPPRESS]
        return list({flag for action in shown for flag in action.option_strings})

    def format_help(self) -> str:
        """The help text, with commands as they work in the working directory."""
        if self.usual is None:
            return pasteable(super().format_help())
        description = (self.description or "").partition("\n\n")[0]
        shown = short_help(
            self, self.usual, self.shown_defaults, description=description, examples=self.epilog or ""
        )
        return pasteable(shown)

    def print_everything(self) -> None:
        """Print the help with every flag."""
        print(pasteable(super().format_help()), end="")

    def error(self, message: str) -> NoReturn:
        print(pasteable(f"error: {in_words(message)}"), file=sys.stderr)
        print(pasteable(f"       see {self.prog} --help"), file=sys.stderr)
        raise SystemExit(2)


_IN_WORDS = (
    (re.compile(r"^argument (\S+): invalid int value: (.*)$"), r"\1 takes a whole number, but got \2."),
    (re.compile(r"^argument (\S+): invalid float value: (.*)$"), r"\1 takes a number, but got \2."),
    (re.compile(r"^argument (\S+): invalid \w+ value: (.*)$"), r"\1 got \2, which it does not take."),
    (re.compile(r"^argument (\S+): expected (?:at least )?one argument$"), r"\1 needs a value after it."),
    (re.compile(r"^argument (\S+): ignored explicit argument (.*)$"), r"\1 takes no value, but got \2."),
    (re.compile(r"^the following arguments are required: (.*)$"), r"\1 must be given."),
)
_CHOICE = re.compile(r"^argument (\S+): invalid choice: (.*) \(choose from (.*)\)$")


def in_words(message: str) -> str:
    """argparse's message in the words of all others: the flag, what it takes, what it got."""
    choice = _CHOICE.match(message)
    if choice:
        known = [name.strip().strip("'") for name in choice[3].split(",")]
        return f"{choice[1]} takes {' or '.join(known)}, but got {choice[2]}."
    for pattern, words in _IN_WORDS:
        if pattern.match(message):
            return pattern.sub(words, message)
    return message


def run(main: Callable[[list[str]], int | None]) -> NoReturn:
    """Run `main(argv)`; a UserError becomes one line on stderr and exit status 2.

    Any other exception becomes one line too, with its traceback in a file (platform/cli/unexpected.py). A
    failing standard output (its reader exits, the disk is full) does not change the status.
    """
    abruptly = False
    with safe_streams(), _hangup_taken() as hung_up:
        try:
            status = main(sys.argv[1:]) or 0
        except UserError as error:
            print(pasteable(f"error: {one_line(str(error))}"), file=sys.stderr)
            status, abruptly = 2, isinstance(error, ClusterLost | LeaseLost)
        except KeyboardInterrupt as stop:
            word, status = ("terminated", 143) if isinstance(stop, Terminated) else ("interrupted", 130)
            if hung_up or isinstance(stop, HungUp):  # a library may have turned it into a plain Ctrl-C
                word, status = "hung up", 129
            print(
                f"\n{word}: finished work is stored; run the same command again to continue.",
                file=sys.stderr,
            )
        except Exception as error:
            from platform.cli.unexpected import sentence_and_status
            from platform.models.plugins import fault_of

            fault = fault_of(error)
            sentence, status = sentence_and_status(error) if fault is None else (one_line(str(fault)), 2)
            print(pasteable(f"error: {sentence}"), file=sys.stderr)
    if abruptly:
        os._exit(status)
    raise SystemExit(status)


@contextmanager
def _hangup_taken() -> Iterator[list[int]]:
    """Raise HungUp on SIGHUP and record it in the yielded list. Under `nohup` SIGHUP stays ignored."""
    hung_up: list[int] = []
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    ):
        yield hung_up
        return

    def stop(number: int, frame: object) -> None:
        hung_up.append(number)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a second SIGHUP ends the process at once
        raise HungUp

    before = signal.signal(signal.SIGHUP, stop)
    try:
        yield hung_up
    finally:
        signal.signal(signal.SIGHUP, before)
