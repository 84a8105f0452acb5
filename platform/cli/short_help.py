"""`--help` of a command with many flags: one screen of what people use, with defaults.

`--help-all` shows every flag, in groups.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping, Sequence

SCREEN_COLUMNS = 100
LONGEST_VALUE = 12
"""Characters of a value's placeholder; a longer list of choices is left to the text and to help-all."""

Usual = Mapping[str, Mapping[str, str]]
"""Title to flags and what each does, in the order of the screen; flags that a command lacks are left out."""


class HelpAll(argparse.Action):
    """`--help-all`: print every flag and end."""

    def __call__(self, parser, namespace, values, option_string=None):  # type: ignore[no-untyped-def]
        parser.print_everything()
        parser.exit()


def short_help(
    parser: argparse.ArgumentParser,
    usual: Usual,
    defaults: Mapping[str, str],
    *,
    description: str,
    examples: str,
) -> str:
    """The screen. defaults: flag to its default in words. examples: printed last, as they are."""
    actions = {word: action for action in parser._actions for word in action.option_strings}
    rows = {
        title: [
            (_with_value(flag, actions[flag]), _text(text, defaults.get(flag)))
            for flag, text in flags.items()
            if flag in actions
        ]
        for title, flags in usual.items()
    }
    width = max(len(flag) for flags in rows.values() for flag, _ in flags)
    lines = [f"usage: {parser.prog} [flags]", "", *textwrap.wrap(description, SCREEN_COLUMNS)]
    for title, shown in rows.items():
        lines += [f"{title}:"] if shown else []
        lines += [f"  {flag:<{width}}  {text}" for flag, text in shown]
    return "\n".join([*lines, "", examples.strip("\n"), ""])


def _with_value(flag: str, action: argparse.Action) -> str:
    if action.nargs == 0:
        return flag
    value = action.metavar if isinstance(action.metavar, str) else "WORDS"
    return f"{flag} {value if len(value) <= LONGEST_VALUE else 'NAME'}"


def _text(text: str, default: str | None) -> str:
    return text if not default else f"{text} ({default})"


def default_text(default: str, preset: str, of_preset: str | None) -> str:
    """`default 12, quick: 5`; the preset's value is left out where it is the default."""
    shown = default or "none"
    return f"default {shown}" + (
        f", {preset}: {of_preset or 'none'}" if of_preset not in (None, default) else ""
    )


def rest_of(names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Those of the names that no group has."""
    known = {name for group in groups.values() for name in group}
    return [name for name in names if name not in known]
