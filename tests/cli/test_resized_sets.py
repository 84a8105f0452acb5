from __future__ import annotations

from pathlib import Path

import pytest

from datasets.prepared.prepared_sizes import prepared_sizes
from platform.cli.resized_sets import resize_sets
from platform.files.dry_run import dry_run
from tests.tiny_faces import prepare_tiny


def test_what_is_prepared_larger_is_resized_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_tiny(tmp_path, "ckplus", size=48)
    prepare_tiny(tmp_path, "synthetic", size=48)
    with dry_run():
        resize_sets(["ckplus"], tmp_path, 24)
    assert prepared_sizes(tmp_path, "ckplus") == (48,)
    resize_sets(["ckplus", "synthetic", "mmi"], tmp_path, 24)
    assert "ckplus at 24 px: resized from the set at 48 px" in capsys.readouterr().out
    assert prepared_sizes(tmp_path, "ckplus") == (24, 48)
    assert prepared_sizes(tmp_path, "synthetic") == (48,)
