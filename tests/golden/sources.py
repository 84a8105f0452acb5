"""A hash of the sources that can change a fold run's numbers: of what they do, not of how they look."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import Any

FOLDERS = ("platform/models", "platform/training")
FILES = (
    "datasets/augmentation/draw.py",
    "datasets/augmentation/content.py",
    "datasets/augmentation/transforms.py",
    "datasets/batches.py",
    "datasets/sequence_batches.py",
    "datasets/folds/view.py",
    "datasets/folds/guarded_rows.py",
    "datasets/folds/sequence_view.py",
    "datasets/folds/rules.py",
    "datasets/folds/inner_split.py",
    "datasets/masks/motion_masks.py",
    "platform/runs/execute.py",
    "platform/runs/identity.py",
    "datasets/masks/released.py",
    "platform/runs/artifact_records.py",
    "platform/runs/artifacts.py",
    "platform/runs/mask_sets.py",
    "platform/runs/task_view.py",
    "platform/runs/planned_tasks.py",
    "platform/runs/reach.py",
    "platform/runs/tasks.py",
)


def result_affecting(root: Path) -> list[Path]:
    """The sources, sorted by path."""
    found = [path for folder in FOLDERS for path in (root / folder).rglob("*.py")]
    return sorted([*found, *(root / name for name in FILES)])


def sources_hash(root: Path) -> str:
    """sha256 (64 hex digits) over names and meaning of the sources."""
    parts = [
        (str(path.relative_to(root)), meaning(path.read_text(encoding="utf-8")))
        for path in result_affecting(root)
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def meaning(source: str) -> str:
    """The syntax tree as text, without docstrings, comments and positions.

    Not `ast.dump`: which empty fields it shows differs between the versions of Python that we support.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
    return _shown(tree)


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a string alone: a docstring, or one below a field."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _shown(value: Any) -> str:
    if isinstance(value, ast.AST):
        fields = [(name, part) for name, part in ast.iter_fields(value) if part not in (None, [])]
        return f"{type(value).__name__}({', '.join(f'{name}={_shown(part)}' for name, part in fields)})"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return repr(value)
