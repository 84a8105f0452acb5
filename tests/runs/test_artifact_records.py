from __future__ import annotations

from platform.runs.artifact_records import artifacts_of, folder_of, with_artifacts


def test_the_oldest_artifacts_have_keys_of_their_own_and_the_others_one_together() -> None:
    assert with_artifacts({"seed": 0}, {}) == {"seed": 0, "masks": None, "stage1": None}
    assert with_artifacts({}, {"masks": "m"}) == {"masks": "m", "stage1": None}
    record = with_artifacts({}, {"stage1": "s", "features": "f"})
    assert record == {"masks": None, "stage1": "s", "artifacts": {"features": "f"}}
    assert artifacts_of(record) == {"stage1": "s", "features": "f"}
    assert artifacts_of({"seed": 0}) == {}


def test_the_oldest_artifacts_have_folders_of_their_own() -> None:
    assert [folder_of(name) for name in ("masks", "stage1", "features")] == ["masks", "stage1", "artifacts"]
