"""Every method that scores images, those of a user's own in tests/data/methods too, at the smallest size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Configuration, configuration_of, option_names
from platform.models import load_method, own_method_names, plugins
from platform.models.plugins import read_plugin, register
from tests.tiny_faces import tiny_settings

FOLDER = Path(__file__).parent / "data" / "methods"
OWN_FILES = {
    path.stem: path
    for path in sorted(FOLDER.glob("*.py"))
    if 'unit = "sequence"' not in path.read_text(encoding="utf-8")
}
"""Files of methods that are not part of this repository, by name."""
SEQUENCE_FILES = {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path.stem not in OWN_FILES}
"""Files of methods that score sequences, by name (tests/runs/test_every_sequence_method.py)."""
EVERY = (*own_method_names(), *OWN_FILES)
"""Names of all methods that score images. A new file is among them by being there."""


@contextmanager
def registered() -> Iterator[None]:
    """The files are known methods in this block, and no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "_KNOWN", {})
        patch.setattr(plugins, "_MODULES", {})
        for path in (*OWN_FILES.values(), *SEQUENCE_FILES.values()):
            register(read_plugin(str(path)))
        yield


def smallest(name: str, **changes: Any) -> Configuration:
    """The smallest configuration of the method that trains."""
    names = set(option_names(name))
    values = {**load_method(name).presets["smoke"], **tiny_settings(), **changes}
    return configuration_of(name, **{key: value for key, value in values.items() if key in names})
