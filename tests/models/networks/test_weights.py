from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from platform.errors import UserError
from platform.models.networks.weights import (
    WeightsFile,
    by_content,
    is_pinned,
    load_strictly,
    mismatches,
    pin_weights,
    read_weights,
    state_from,
    weights_file,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.pth"
    torch.save({"weight": torch.arange(3.0)}, path)
    return path


def test_a_path_is_pinned_to_its_place_and_content(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.chdir(file.parent)
    assert pin_weights("some.pth") == pin_weights(str(file)) == f"{file}@sha256:{digits}"
    assert weights_file(pin_weights("some.pth")) == WeightsFile(path=file, sha256=digits)


def test_a_pinned_setting_is_not_read_again(file: Path) -> None:
    pinned = pin_weights(str(file))
    assert is_pinned(pinned)
    file.unlink()
    assert pin_weights(pinned) == pinned


@pytest.mark.parametrize("name", ["imagenet", "none"])
def test_named_weights_are_no_files(name: str) -> None:
    assert pin_weights(name) == name
    assert weights_file(name) is None
    assert not is_pinned(name)


@pytest.mark.parametrize(
    ("weights", "hint"),
    [
        ("", "give the path"),
        ("nonn", "did you mean none?"),
        ("a.pth@sha256:12", "a.pth@sha256:12"),
        (".", "'.'"),
    ],
)
def test_what_is_no_file_is_refused(weights: str, hint: str) -> None:
    with pytest.raises(UserError, match="weights must be imagenet, none or a file") as refusal:
        pin_weights(weights)
    assert hint in str(refusal.value)


def test_a_bare_path_never_reaches_a_run(file: Path) -> None:
    with pytest.raises(ValueError, match="pinned by their SHA-256"):
        weights_file(str(file))


def test_the_same_content_in_another_place_is_the_same_to_a_runs_identity(file: Path) -> None:
    other = file.with_name("other.pth")
    other.write_bytes(file.read_bytes())
    first, second = ({"weights": pin_weights(str(path)), "seed": 3} for path in (file, other))
    assert first != second
    assert by_content(first) == by_content(second)
    assert by_content(first)["weights"] == f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert by_content({"weights": "imagenet"}) == {"weights": "imagenet"}
    assert by_content({"seed": 3}) == {"seed": 3}  # of stage 1, which has no classification net


def test_a_file_that_changed_since_it_was_pinned_is_refused(file: Path) -> None:
    pinned = weights_file(pin_weights(str(file)))
    assert pinned is not None
    assert torch.equal(read_weights(pinned)["weight"], torch.arange(3.0))
    torch.save({"weight": torch.ones(3)}, file)
    with pytest.raises(UserError, match=r"some.pth has changed since this run was planned"):
        read_weights(pinned)
    file.unlink()
    with pytest.raises(UserError, match=r"cannot read .*some.pth"):
        read_weights(pinned)


@pytest.mark.parametrize("legacy", [False, True])
def test_both_of_torchs_forms_and_safetensors_are_read(tmp_path: Path, legacy: bool) -> None:
    state = {"a.weight": torch.rand(2, 3), "a.count": torch.tensor(4)}
    torch.save(state, tmp_path / "t", _use_new_zipfile_serialization=not legacy)
    save_file(state, tmp_path / "s")
    for name in ("t", "s"):
        found = read_state(tmp_path / name)
        assert found.keys() == state.keys()
        assert all(torch.equal(found[key], state[key]) for key in state)


def read_state(path: Path) -> dict[str, torch.Tensor]:
    return state_from(path.read_bytes(), path)


class _RunsCode:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


def test_a_file_cannot_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"conv1.weight": _RunsCode()}, tmp_path / "bad.pth")
    with pytest.raises(UserError, match=r"bad.pth is not a safetensors file, nor .* \(UnpicklingError\)"):
        read_state(tmp_path / "bad.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content", [b"", b"no weights", b"PK\x03\x04 cut off", b"\x80\x04.", b"\xff" * 7 + b"\x00{", bytes(99)]
)
def test_a_damaged_file_is_named_on_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pth").write_bytes(content)
    with pytest.raises(UserError, match=r"bad.pth is not a safetensors file") as refusal:
        read_state(tmp_path / "bad.pth")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("cut", [1, 40, 0.5, -1])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, cut: float) -> None:
    torch.save({"weight": torch.rand(50)}, tmp_path / "t")
    save_file({"weight": torch.rand(50)}, tmp_path / "s")
    for name in ("t", "s"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(len(content) * cut) if cut == 0.5 else int(cut)])
        with pytest.raises(UserError, match="is not a safetensors file"):
            read_state(tmp_path / name)


@pytest.mark.parametrize(
    ("held", "part"),
    [
        (torch.zeros(3), "but holds Tensor"),
        ([torch.zeros(3)], "but holds list"),
        ({"state_dict": {"a": torch.zeros(3)}, "epoch": 3}, "no tensor under state_dict, epoch"),
    ],
)
def test_only_names_and_tensors_are_weights(tmp_path: Path, held: object, part: str) -> None:
    torch.save(held, tmp_path / "bad.pth")
    with pytest.raises(UserError, match=part):
        read_state(tmp_path / "bad.pth")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_weights_of_a_training_that_diverged_are_refused(
    tmp_path: Path, value: float, kind: torch.dtype
) -> None:
    spoilt = torch.tensor([1.0, value]).to(kind)
    save_file({"a": torch.ones(2), "b": spoilt, "count": torch.tensor(3)}, tmp_path / "spoilt.safetensors")
    with pytest.raises(UserError, match=r"must be finite, but .*spoilt.safetensors has .* not under b;"):
        read_state(tmp_path / "spoilt.safetensors")


def test_mismatches_name_the_first_keys_and_count_all() -> None:
    expected: dict[str, tuple[int, ...]] = {f"e{n}": (n,) for n in range(5)}
    expected |= {"same": (2, 3), "shape": (4,), "bn.num_batches_tracked": ()}
    found: dict[str, tuple[int, ...]] = {"same": (2, 3), "shape": (4, 1), "u": ()}
    assert mismatches(expected, found) == [
        "5 keys missing: e0 [0], e1 [1], e2 [2] and 2 more",
        "1 key unknown: u []",
        "1 key of another shape: shape [4, 1] instead of [4]",
    ]
    assert mismatches(expected, expected) == []


def test_only_batch_norms_counters_may_be_missing() -> None:
    net = nn.BatchNorm2d(2)
    state = {name: torch.full_like(value, 3) for name, value in net.state_dict().items()}
    del state["num_batches_tracked"]
    load_strictly(net, state, Path("f"), "a norm")
    assert net.weight.tolist() == [3, 3]
    del state["bias"]
    with pytest.raises(UserError, match=r"weights in f do not fit a norm: 1 key missing: bias \[2\]"):
        load_strictly(net, state, Path("f"), "a norm")
