"""User-supplied configurations (`--enqueue`): read from a file and validated against the space.

The file is a YAML or JSON list. Each entry gives a value to every parameter that the space asks for, given
the entry's other values:

    - {lambda_classification: 1, lambda_mask: 1}
    - {lambda_classification: 1, lambda_mask: 50}

Entries must be complete: Optuna would draw missing parameters with a sampler that this study does not
control.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platform.errors import UserError
from platform.files.json_files import parse_json
from platform.files.yaml_files import read_yaml
from platform.runs.identity import canonical_json
from platform.search.parameter_values import as_value
from platform.search.parameters import GivenTrial, SpaceParameters, Suggest


def read_enqueue_file(path: Path) -> str:
    """The file's entries as canonical JSON: the content, not the path, is part of the study's definition.

    UserError: an unreadable file, neither YAML nor JSON, not a list, empty, or an entry that is not a mapping
    or repeats a name.
    """
    content = read_yaml(path, remedy="check --enqueue.")  # JSON is a subset of YAML
    return canonical_json(_checked(content, str(path)))


def enqueued_configurations(
    content: str,
    suggest: Suggest,
    parameters: SpaceParameters,
    *,
    fixed: dict[str, Any],
    source: str,
) -> list[dict[str, Any]]:
    """The entries of `content` (see `read_enqueue_file`) as parameter values of the space.

    `suggest` is the space with `fixed` applied; `source` names the file in error messages. UserError, with
    the entry's number: unknown or missing parameter, another value of a fixed one, value outside the space.
    """
    if not content:
        return []
    entries = _checked(parse_json(content, source), source)
    return [
        _configuration(entry, suggest, parameters, fixed, f"entry {number} of {source}")
        for number, entry in enumerate(entries, start=1)
    ]


def _configuration(
    entry: dict[str, Any], suggest: Suggest, parameters: SpaceParameters, fixed: dict[str, Any], where: str
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in entry.items():
        if name not in parameters.distributions:
            raise parameters.unknown(f"parameter in {where}", name)
        # YAML reads 1e-4, without a decimal point, as text.
        values[name] = as_value(value, parameters.distributions[name]) if isinstance(value, str) else value
        if name in fixed and values[name] != fixed[name]:
            raise UserError(
                f"{where} has {name} {values[name]!r}, but --fix fixes it at {fixed[name]!r}; remove one."
            )
    trial = GivenTrial({name: value for name, value in values.items() if name not in fixed})
    suggest(trial)  # type: ignore[arg-type]
    if trial.problems:
        raise UserError(
            f"{where} is not in the space {parameters.space}: {'; '.join(trial.problems)}; give every "
            "parameter a value of the space."
        )
    unasked = sorted(values.keys() - trial.asked.keys() - fixed.keys())
    if unasked:
        raise UserError(
            f"{where} gives {', '.join(unasked)}, which the space {parameters.space} does not ask for with "
            "the entry's other values; leave it out."
        )
    return trial.asked


def _checked(content: Any, source: str) -> list[dict[str, Any]]:
    if not isinstance(content, list) or not content:
        found = "an empty list" if content == [] else "nothing" if content is None else type(content).__name__
        raise UserError(f"{source} must hold a list of configurations, but holds {found}.")
    for number, entry in enumerate(content, start=1):
        if not isinstance(entry, dict) or not entry:
            raise UserError(f"entry {number} of {source} must map parameters to values, but is {entry!r}.")
        for name, value in entry.items():
            finite = not isinstance(value, float) or abs(value) < float("inf")
            if not isinstance(name, str) or not isinstance(value, str | bool | int | float) or not finite:
                raise UserError(
                    f"entry {number} of {source} must map names to finite numbers or words, but maps "
                    f"{name!r} to {value!r}."
                )
    return content
