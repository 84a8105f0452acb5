"""The resolved settings as a YAML file, stored with each experiment; `--config` reads it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platform.config.configuration import Configuration, Plan, to_dict
from platform.errors import UserError
from platform.files.yaml_files import read_yaml


def show(configuration: Configuration, plan: Plan) -> str:
    """The resolved settings as YAML text."""
    import yaml

    text: str = yaml.safe_dump({**to_dict(plan), **to_dict(configuration)}, sort_keys=False)
    return text


def stored_settings(path: Path) -> dict[str, Any]:
    """The settings that `show` wrote to a file, as plain YAML values. UserError: unreadable, damaged."""
    remedy = f"restore it, or pass another --name; without {path.parent} the experiment starts from scratch."
    content = read_yaml(path, remedy=remedy)
    if not isinstance(content, dict):
        raise UserError(f"{path} must map settings to values, but holds {type(content).__name__}; {remedy}")
    return content
