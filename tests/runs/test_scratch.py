from __future__ import annotations

from pathlib import Path

from platform.runs.scratch import drop_scratch, own_scratch

RUN = "ab" * 12


def checkpoint(folder: Path, epoch: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in (".safetensors", ".json"):
        (folder / f"stage2-{epoch:06d}{suffix}").write_text(str(folder))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.json"))


def test_two_attempts_at_one_run_never_share_a_folder(tmp_path: Path) -> None:
    first, second = own_scratch(tmp_path, RUN), own_scratch(tmp_path, RUN)
    assert first != second
    assert first.parent == second.parent == tmp_path / "checkpoints" / RUN
    assert not first.parent.exists(), "made with the first checkpoint"


def test_the_newest_checkpoints_of_earlier_attempts_are_taken_over_and_the_others_go(tmp_path: Path) -> None:
    older, newer = own_scratch(tmp_path, RUN), own_scratch(tmp_path, RUN)
    for folder, epochs in ((older, (8, 9)), (newer, (10, 20))):
        for epoch in epochs:
            checkpoint(folder, epoch)
    own = own_scratch(tmp_path, RUN)
    assert names(own) == ["stage2-000010.json", "stage2-000020.json"]
    assert list(own.parent.iterdir()) == [own]


def test_checkpoints_of_an_earlier_version_are_taken_over(tmp_path: Path) -> None:
    checkpoint(tmp_path / "checkpoints" / RUN, 10)
    own = own_scratch(tmp_path, RUN)
    assert names(own) == ["stage2-000010.json"]
    assert len(list(own.iterdir())) == 2
    assert list(own.parent.iterdir()) == [own]


def test_the_end_of_one_attempt_leaves_the_folder_of_another(tmp_path: Path) -> None:
    one, other = own_scratch(tmp_path, RUN), own_scratch(tmp_path, RUN)
    checkpoint(one, 10)
    checkpoint(other, 10)
    drop_scratch(one)
    assert names(other) == ["stage2-000010.json"]
    drop_scratch(other)
    assert list((tmp_path / "checkpoints").iterdir()) == []
