"""Console lines on the layers of a prepared set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platform.errors import UserError
from platform.host.console import one_line


def layer_lines(store: Path) -> list[str]:
    """One line per layer of the store in the folder `store`: content, alignment, hash, what was left out; or
    why it cannot be used."""
    from datasets.prepared.layer_files import layers_of, read_layer_manifest

    lines = []
    for name in layers_of(store):
        try:
            manifest = read_layer_manifest(store, name)
        except UserError as error:
            lines.append(f"layer:      {name} cannot be used: {one_line(str(error))}")
            continue
        lines.append(f"layer:      {name}: {_content(name, manifest)} ({manifest['hash'][:12]})")
        if manifest.get("left_out"):
            count = len(manifest["left_out"])
            lines.append(f"  left out: {count} items (all listed in its manifest.json)")
    return lines


def _content(name: str, manifest: dict[str, Any]) -> str:
    if name == "sequences":
        ways = {
            "own": "by their own landmarks",
            "interpolated": "by landmarks interpolated between neighbours",
            "nearest": "by the nearest frame's landmarks",
            "crop": "as face crops",
        }
        how = ", ".join(f"{manifest['alignments'][way]:,} {text}" for way, text in ways.items()
                        if way in manifest["alignments"])  # fmt: skip
        return (
            f"{manifest['sequence_count']:,} sequences of {manifest['frame_count']:,} frames, aligned: {how}"
        )
    if name == "landmarks":
        without = manifest["frames_without_landmarks"]
        lacking = f", none in {without:,} further frames" if without else ""
        return f"68 points in {manifest['face_count']:,} faces{lacking}, from {manifest['landmarks_from']}"
    return f"{manifest['face_count']:,} neutral faces as a class"
