"""Checkpoints: going on is never having stopped, damage is noticed, nothing in them can run."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch import Tensor, nn

from datasets.batches import Batch, FaceTensors
from platform.files.local_storage import LocalStorage
from platform.models.player import Loss, Player
from platform.training.checkpoint import FORMAT, KEPT, Checkpoints
from platform.training.face_items import FaceItems
from platform.training.loop import train_stage
from platform.training.seeding import torch_seeded
from platform.training.stage_settings import Training

SIDE, EPOCHS = 12, 6


class Net(nn.Module):
    """Convolutions in channels-last order, batch norm and dropout: all that a checkpoint must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 5, 3)
        self.norm = nn.BatchNorm2d(5)
        self.second = nn.Conv2d(5, 4, 3, groups=1)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(4, 2)

    def forward(self, image: Tensor) -> Tensor:
        hidden = torch.relu(self.norm(self.first(image)))
        return self.head(self.dropout(self.second(hidden).mean((2, 3))))


class Stopped(Exception):
    """What a test kills a training with."""


def new_net() -> Net:
    with torch_seeded(0, "test"):
        return Net().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
    return {"loss": nn.functional.cross_entropy(module(batch.image), batch.labels)}


def train(
    net: Net, checkpoints: Checkpoints | None = None, stop_after: int = 99, loss: Loss = loss
) -> list[dict[str, float]]:
    images = np.random.default_rng(0).integers(0, 256, (10, SIDE, SIDE, 3), dtype=np.uint8)
    training = Training(
        stage="stage2", constant_epochs=EPOCHS - 2, decay_epochs=2, batch_size=4, minimum_batch=1,
        betas=(0.5, 0.999), seed=0,
    )  # fmt: skip

    def report(values: dict[str, Any]) -> None:
        if values["epoch"] > stop_after:
            raise Stopped

    players = [Player(groups=[{"params": list(net.parameters()), "lr": 1e-2}], loss=loss)]
    faces = FaceTensors(images, np.arange(10) % 2, None, "cpu")
    items = FaceItems(faces, augmentation="paper", crop_size_pixels=10)
    return train_stage(net, players, items, training, report=report, checkpoints=checkpoints)


def bits(net: nn.Module, curve: list[dict[str, float]]) -> tuple[Any, Any]:
    """Everything that must be the same: all weights, and the curve without its clock."""
    curve = [{k: v for k, v in epoch.items() if k != "images_per_second"} for epoch in curve]
    return curve, {name: value.tolist() for name, value in net.state_dict().items()}


@pytest.fixture(scope="module")
def uninterrupted() -> Iterator[tuple[Any, Any]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as every test here: the number changes last bits
    net = new_net()
    yield bits(net, train(net))
    torch.set_num_threads(threads)


def stopped(folder: Path, after: int, every: int = 1) -> Checkpoints:
    """Checkpoints of a training that was stopped in the epoch after `after`."""
    checkpoints = Checkpoints(folder=folder, every_epochs=every)
    with pytest.raises(Stopped):
        train(new_net(), checkpoints, stop_after=after)
    return checkpoints


@pytest.mark.parametrize("every", [1, 2, 4])
@pytest.mark.parametrize("after", [1, 3, 4, 5])
def test_going_on_is_never_having_stopped(
    tmp_path: Path, uninterrupted: tuple[Any, Any], after: int, every: int
) -> None:
    checkpoints = stopped(tmp_path, after, every)
    net = new_net()
    assert bits(net, train(net, checkpoints)) == uninterrupted


@pytest.mark.parametrize(("every", "expected"), [(1, [4, 5]), (2, [2, 4]), (3, [3]), (6, []), (100, [])])
def test_none_is_written_after_the_last_epoch_whose_result_comes_next(
    tmp_path: Path, every: int, expected: list[int]
) -> None:
    train(new_net(), Checkpoints(folder=tmp_path, every_epochs=every))
    assert sorted(path.name for path in tmp_path.glob("*.json")) == [
        f"stage2-{epoch:06d}.json" for epoch in expected
    ]


def test_the_seconds_of_the_starts_before_are_counted(tmp_path: Path) -> None:
    stopped(tmp_path, 3)
    path = tmp_path / "stage2-000003.json"
    state = json.loads(path.read_text())
    assert 0 < state["seconds"] < 60
    path.write_text(json.dumps(signed(state | {"seconds": 500.0})))
    checkpoints = Checkpoints(folder=tmp_path, every_epochs=1)
    assert checkpoints.clock.seconds() < 60
    train(new_net(), checkpoints)
    assert 500 < checkpoints.clock.seconds() < 560
    assert json.loads((tmp_path / "stage2-000005.json").read_text())["seconds"] > 500


@pytest.mark.parametrize("writes", range(7))
def test_killed_at_any_file_that_it_writes_or_removes_it_goes_on_to_the_same_bits(
    tmp_path: Path, uninterrupted: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    done = itertools.count()

    def then_stop(action: Callable[..., None]) -> Callable[..., None]:
        def acted(*arguments: Any, **options: Any) -> None:
            if next(done) == writes:
                raise Stopped
            action(*arguments, **options)

        return acted

    checkpoints = Checkpoints(folder=tmp_path, every_epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", then_stop(os.replace))
        patch.setattr(Path, "unlink", then_stop(Path.unlink))
        with pytest.raises(Stopped):
            train(new_net(), checkpoints)
    net = new_net()
    assert bits(net, train(net, checkpoints)) == uninterrupted


def test_only_the_newest_stay(tmp_path: Path) -> None:
    stopped(tmp_path, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"stage2-{epoch:06d}.{kind}" for epoch in (4, 5) for kind in ("json", "safetensors")
    ]
    assert KEPT == 2


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, cut, empty, Path.unlink])
@pytest.mark.parametrize("kind", ["json", "safetensors"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_used(
    tmp_path: Path, uninterrupted: tuple[Any, Any], kind: str, damage: Any
) -> None:
    checkpoints = stopped(tmp_path, 3)
    damage(tmp_path / f"stage2-000003.{kind}")
    net = new_net()
    if (kind, damage) == ("json", Path.unlink):  # as after a kill between the two files
        curve = train(net, checkpoints)
    else:
        with pytest.warns(UserWarning, match=r"stage2-000003.*resuming from the previous one"):
            curve = train(net, checkpoints)
    assert bits(net, curve) == uninterrupted


def test_with_all_damaged_it_starts_afresh(tmp_path: Path, uninterrupted: tuple[Any, Any]) -> None:
    checkpoints = stopped(tmp_path, 3)
    for path in tmp_path.iterdir():
        cut(path)
    net = new_net()
    with pytest.warns(UserWarning, match="resuming from the previous one"):
        curve = train(net, checkpoints)
    assert bits(net, curve) == uninterrupted


def signed(state: dict[str, Any]) -> dict[str, Any]:
    """`state` with the hash that belongs to it: what another version or another net would have written."""
    fields = {name: value for name, value in state.items() if name != "hash"}
    return {**fields, "hash": hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"format": FORMAT - 1}, f"its format is {FORMAT - 1}, but this version reads format {FORMAT}"),
        ({"stage": "stage1"}, "it belongs to epoch 3 of stage1"),
        ({"epoch": 2}, "it belongs to epoch 2 of stage2"),
        ({"tensors_sha256": "0" * 64}, "its tensors do not match their hash"),
    ],
)
def test_a_sound_checkpoint_of_something_else_is_not_used(
    tmp_path: Path, uninterrupted: tuple[Any, Any], changes: dict[str, Any], fault: str
) -> None:
    checkpoints = stopped(tmp_path, 3)
    path = tmp_path / "stage2-000003.json"
    path.write_text(json.dumps(signed(json.loads(path.read_text()) | changes)))
    net = new_net()
    with pytest.warns(UserWarning, match=fault):
        assert bits(net, train(net, checkpoints)) == uninterrupted


def test_a_full_disk_leaves_no_half_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        train(new_net(), Checkpoints(folder=tmp_path, every_epochs=1))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_net_is_not_used(tmp_path: Path) -> None:
    checkpoints = stopped(tmp_path, 1)
    other = nn.Sequential(nn.Conv2d(3, 2, 3))
    with pytest.warns(UserWarning, match="weights belong to another network"):
        assert checkpoints.load("stage2", other, {"": torch.optim.Adam(other.parameters())}) == (0, [])


def test_a_checkpoint_of_one_player_has_the_fields_of_earlier_versions(tmp_path: Path) -> None:
    """So that either version goes on from the other's."""
    stopped(tmp_path, 1)
    assert set(json.loads((tmp_path / "stage2-000001.json").read_text())) == {
        "format", "stage", "epoch", "curve", "seconds", "tensors_sha256", "hash",
    }  # fmt: skip
    names = load((tmp_path / "stage2-000001.safetensors").read_bytes())
    moments = {name for name in names if not name.startswith("module.")}
    parameters = len(list(new_net().parameters()))
    assert moments == {
        f"optimizer.{number}.{name}"
        for number in range(parameters)
        for name in ("step", "exp_avg", "exp_avg_sq")
    }


def test_a_checkpoint_of_other_players_is_not_used(tmp_path: Path) -> None:
    def optimizers(net: Net, *names: str) -> dict[str, torch.optim.Optimizer]:
        return {name: torch.optim.Adam(net.parameters()) for name in names}

    checkpoints, net = Checkpoints(folder=tmp_path, every_epochs=1), new_net()
    checkpoints.save("gan", 1, net, optimizers(net, "maker", "judge"), [])
    assert checkpoints.load("gan", net, optimizers(net, "maker", "judge")) == (1, [])
    for names in (("judge", "maker"), ("maker", "critic"), ("maker",)):
        with pytest.warns(UserWarning, match=r"its players are \[\['maker', 8\], \['judge', 8\]\], but"):
            assert checkpoints.load("gan", net, optimizers(net, *names)) == (0, [])


def test_moments_of_another_optimizer_are_not_used(tmp_path: Path) -> None:
    checkpoints, net = stopped(tmp_path, 1), new_net()
    other = {"": torch.optim.Adam(net.parameters(), amsgrad=True)}
    with pytest.warns(UserWarning, match="optimizer state does not fit"):
        assert checkpoints.load("stage2", net, other) == (0, [])


@pytest.mark.parametrize("every", [1, 4, 100])
def test_a_stage_that_others_follow_has_one_at_its_end(
    tmp_path: Path, uninterrupted: tuple[Any, Any], every: int
) -> None:
    checkpoints = Checkpoints(folder=tmp_path, every_epochs=every, at_end=True)
    train(new_net(), checkpoints)
    assert (tmp_path / f"stage2-{EPOCHS:06d}.json").exists()
    net = new_net()

    def nothing(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        raise AssertionError("trained again")

    assert bits(net, train(net, checkpoints, loss=nothing)) == uninterrupted


class Trap:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_a_pickle_in_the_place_of_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    checkpoints = stopped(tmp_path / "run", 1)
    trap = pickle.dumps(Trap(tmp_path / "sprung"))
    for path in (tmp_path / "run").iterdir():
        path.write_bytes(trap)
    net = new_net()
    with pytest.warns(UserWarning, match="cannot be used"):
        assert checkpoints.load("stage2", net, {"": torch.optim.Adam(net.parameters())}) == (0, [])
    assert not (tmp_path / "sprung").exists()


def test_the_state_beside_the_tensors_is_plain_json(tmp_path: Path) -> None:
    stopped(tmp_path, 1)
    state = json.loads((tmp_path / "stage2-000001.json").read_text())
    assert (state["stage"], state["epoch"], len(state["curve"])) == ("stage2", 1, 1)


def test_other_workers_read_and_never_write(tmp_path: Path) -> None:
    train(new_net(), Checkpoints(folder=tmp_path / "run", every_epochs=1, writes=False))
    assert not (tmp_path / "run").exists()


def test_a_folder_that_another_process_takes_over_fails_no_run(
    tmp_path: Path, uninterrupted: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes between the two files of a checkpoint; the next one has a new folder."""
    folder, whole = tmp_path / "own", LocalStorage.replace
    taken: list[str] = []

    def write(storage: LocalStorage, path: Path, content: bytes, **options: bool) -> None:
        whole(storage, path, content, **options)
        if path.suffix == ".safetensors" and not taken:
            os.rename(folder, tmp_path / "taken")
            taken.append(path.name)

    monkeypatch.setattr(LocalStorage, "replace", write)
    net = new_net()
    assert bits(net, train(net, Checkpoints(folder=folder, every_epochs=1))) == uninterrupted
    assert taken
    assert list(folder.glob("*.json"))
