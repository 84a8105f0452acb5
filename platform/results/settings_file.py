"""The resolved settings as a YAML file, stored with each experiment; `--config` reads it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platform.config import Configuration, Plan, to_dict


def show(configuration: Configuration, plan: Plan) -> str:
    """The resolved settings as YAML text."""
    import yaml

    text: str = yaml.safe_dump({**to_dict(plan), **to_dict(configuration)}, sort_keys=False)
    return text


def stored_settings(path: Path) -> dict[str, Any]:
    """What `show` wrote to a file, as plain YAML values."""
    import yaml

    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content
