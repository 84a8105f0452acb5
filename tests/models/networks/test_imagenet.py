"""ImageNet weights, never from the network."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchvision

from platform.errors import UserError
from platform.models.networks.imagenet import imagenet_file, read_imagenet
from platform.models.networks.weights import sha256_of

WEIGHTS = "ResNet18_Weights"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch.hub's folder of checkpoints, not made yet; fetching fails."""

    def offline(*arguments: object, **options: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    return tmp_path / "checkpoints"


def content_of(folder: Path) -> bytes:
    torch.save({"fc.bias": torch.arange(4.0)}, folder / "made")
    content = (folder / "made").read_bytes()
    (folder / "made").unlink()
    return content


def named_after(content: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let torchvision's address end in a file named after `content`."""
    name = f"resnet18-{sha256_of(content)[:8]}.pth"
    weights = SimpleNamespace(IMAGENET1K_V1=SimpleNamespace(url=f"somewhere/{name}"))
    monkeypatch.setattr(torchvision.models, WEIGHTS, weights)
    return name


def test_a_file_placed_by_hand_is_read_if_its_hash_is_that_of_its_name(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(tmp_path)
    name = named_after(content, monkeypatch)
    hub.mkdir()
    (hub / name).write_bytes(content)
    assert imagenet_file(WEIGHTS) == hub / name
    assert read_imagenet(WEIGHTS)["fc.bias"].tolist() == [0, 1, 2, 3]
    (hub / name).write_bytes(content[:-1])
    with pytest.raises(UserError, match=rf"{name} is damaged or another file: .* must begin with") as refusal:
        read_imagenet(WEIGHTS)
    assert "--weights FILE" in str(refusal.value)


def test_what_is_not_there_is_fetched_with_its_hash_checked(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(tmp_path)
    name = named_after(content, monkeypatch)
    asked: list[tuple[str, str | None]] = []

    def fetch(url: str, place: str, hash_prefix: str | None, progress: bool) -> None:
        asked.append((url, hash_prefix))
        Path(place).write_bytes(content)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    for _ in range(2):
        assert read_imagenet(WEIGHTS)["fc.bias"].tolist() == [0, 1, 2, 3]
    assert asked == [(f"somewhere/{name}", name[9:17])]


def test_weights_that_are_nowhere_say_which_file_goes_where(hub: Path) -> None:
    with pytest.raises(UserError) as refusal:
        read_imagenet(WEIGHTS)
    assert str(hub / "resnet18-f37072fd.pth") in str(refusal.value)
    for part in ("could not be downloaded (OSError)", "--weights FILE", "--weights none"):
        assert part in str(refusal.value)


def test_a_folder_in_the_files_place_is_named(hub: Path) -> None:
    (hub / "resnet18-f37072fd.pth").mkdir(parents=True)
    with pytest.raises(UserError, match=r"resnet18-f37072fd.pth is a folder"):
        read_imagenet(WEIGHTS)
