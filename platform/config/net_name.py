"""Names of a row's classification net and preset, with a narrow net's width and the changed settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from platform.config.presets import preset, preset_names
from platform.models import load_method, method_names

VARIOUS_WIDTHS = "various widths"
NO_OVERRIDE = ("method", "seed")
"""Settings that every row shows itself."""
CHANGES_SHOWN = 4


def net_name(backbone: str, width: float | None) -> str:
    """`resnet18`, or `resnet18, width 0.25` for a net with a quarter of its channels; None: various."""
    if width == 1:
        return backbone
    return f"{backbone}, {VARIOUS_WIDTHS if width is None else f'width {width:g}'}"


def only_width(widths: Iterable[float]) -> float | None:
    """The width that all runs of a row share; None where they differ, 1 where nothing is known."""
    found = set(widths)
    return found.pop() if len(found) == 1 else (None if found else 1.0)


def preset_text(name: str, config: Mapping[str, Any]) -> str:
    """`released`, or `released, changed: backbone resnet18, weights none`.

    config: settings as experiment.json holds them; a missing key is a setting that did not exist then.
    """
    method = config.get("method", "fmpn")
    if method not in method_names() or name not in preset_names(method):
        return name
    fields = dataclasses.fields(load_method(method).options)
    usual = {**{field.name: field.default for field in fields}, **preset(name, method)}
    changed = [
        f"{field.name} {setting_text(config[field.name])}"
        for field in fields
        if field.name in config and field.name not in NO_OVERRIDE and config[field.name] != usual[field.name]
    ]
    if not changed:
        return name
    more = len(changed) - CHANGES_SHOWN
    if more > 0:
        changed[CHANGES_SHOWN:] = [f"{more} more"]
    return f"{name}, changed: {', '.join(changed)}"


def setting_text(value: Any) -> str:
    """A setting's value on one line: `yes`, `0.1`, `cnn,fmpn`; a weights file by its name."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str) and "@sha256:" in value:
        return PurePath(value.partition("@sha256:")[0]).name
    text = ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return text if len(text) <= 40 and "\n" not in text else "custom"
