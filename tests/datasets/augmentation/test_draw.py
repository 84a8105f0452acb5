from __future__ import annotations

import pytest
import torch
from torchvision.transforms import functional

from datasets.augmentation.content import STRONG, canonical_content
from datasets.augmentation.draw import (
    SEED_LIMIT,
    Draw,
    apply_draw,
    augmentation_policy,
    centre_draw,
    draw_paper,
)
from platform.errors import UserError

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(count: int, channels: int, side: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, channels, side, side), generator=seeded(5), dtype=torch.uint8)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("channels", [1, 3])  # gray or mask, and RGB
@pytest.mark.parametrize(("side", "crop_size"), [(20, 13), (21, 16), (19, 16), (9, 9), (8, 1), (320, 299)])
def test_each_crop_and_flip_is_torchvisions(device: str, channels: int, side: int, crop_size: int) -> None:
    images = noise(10, channels, side).to(device)
    draw = Draw(crop=torch.arange(10) % 5, flip=torch.arange(10) >= 5)
    cut = apply_draw(images, draw, crop_size)
    assert cut.dtype == torch.uint8
    for index in range(10):
        expected = functional.five_crop(images[index], [crop_size, crop_size])[index % 5]
        if index >= 5:
            expected = functional.hflip(expected)
        assert torch.equal(cut[index], expected), index


def test_image_gray_and_mask_are_cut_alike() -> None:
    draw = draw_paper(50, seeded())
    positions = torch.arange(24 * 24, dtype=torch.int64).reshape(1, 1, 24, 24)
    as_mask = apply_draw(positions.expand(50, 1, 24, 24), draw, 17)
    as_image = apply_draw(positions.expand(50, 3, 24, 24), draw, 17)
    for channel in range(3):
        assert torch.equal(as_image[:, channel], as_mask[:, 0])


def test_batched_equals_single() -> None:
    images, draw = noise(12, 3, 20), draw_paper(12, seeded(2))
    batched = apply_draw(images, draw, 15)
    for index in range(12):
        one = slice(index, index + 1)
        single = apply_draw(images[one], Draw(crop=draw.crop[one], flip=draw.flip[one]), 15)
        assert torch.equal(single, batched[one])


def test_images_that_are_not_contiguous_are_cut_alike() -> None:
    images, draw = noise(6, 3, 12), draw_paper(6, seeded())
    last = images.to(memory_format=torch.channels_last)
    assert torch.equal(apply_draw(last, draw, 9), apply_draw(images, draw, 9))


def test_the_paper_draw_is_uniform_and_independent() -> None:
    draw = draw_paper(20_000, seeded())
    assert draw.crop.dtype == torch.int64
    assert draw.flip.dtype == torch.bool
    for crop in range(5):
        drawn = draw.crop == crop
        # Five standard deviations: 0.014 of 20,000 at p 0.2, 0.04 of 4,000 at p 0.5.
        assert abs(drawn.float().mean().item() - 0.2) < 0.015
        assert abs(draw.flip[drawn].float().mean().item() - 0.5) < 0.04


def test_a_draw_is_decided_by_its_generator() -> None:
    first, second, other = draw_paper(64, seeded(1)), draw_paper(64, seeded(1)), draw_paper(64, seeded(2))
    assert torch.equal(first.crop, second.crop)
    assert torch.equal(first.flip, second.flip)
    assert not torch.equal(first.crop, other.crop)


def test_the_none_policy_is_the_centre_and_draws_nothing() -> None:
    generator = seeded()
    before = generator.get_state()
    draw = augmentation_policy("none")(3, generator)
    assert torch.equal(generator.get_state(), before)
    images = noise(3, 1, 10)
    assert torch.equal(apply_draw(images, draw, 6), images[:, :, 2:8, 2:8])
    assert torch.equal(apply_draw(images, centre_draw(3), 6), images[:, :, 2:8, 2:8])


def test_policies_by_name() -> None:
    assert augmentation_policy("paper") is draw_paper
    with pytest.raises(UserError, match=r"unknown augmentation 'papers'; did you mean 'paper'.*\.yaml"):
        augmentation_policy("papers")


@pytest.mark.parametrize(("name", "content"), [("strong", STRONG), (canonical_content(["Blur"]),) * 2])
def test_transforms_come_with_a_seed_an_image_and_the_papers_crop_and_flip(name: str, content: str) -> None:
    draw = augmentation_policy(name)(500, seeded(3))
    paper = draw_paper(500, seeded(3))
    assert torch.equal(draw.crop, paper.crop)
    assert torch.equal(draw.flip, paper.flip)
    assert draw.transforms == content
    assert draw.seeds is not None
    assert draw.seeds.dtype == torch.int64
    assert len(set(draw.seeds.tolist())) == 500  # a collision of 500 in 2**31 has p 6e-5
    assert 0 <= int(draw.seeds.min()) < SEED_LIMIT // 20
    assert int(draw.seeds.max()) < SEED_LIMIT
    again = augmentation_policy(name)(500, seeded(3)).seeds
    assert again is not None
    assert torch.equal(draw.seeds, again)


def test_the_other_policies_have_no_transforms() -> None:
    for draw in (draw_paper(3, seeded()), centre_draw(3)):
        assert draw.transforms == ""
        assert draw.seeds is None


@pytest.mark.parametrize(
    ("shape", "crop_size"), [((2, 3, 10, 10), 11), ((2, 3, 10, 12), 5), ((2, 3, 10, 10), 0)]
)
def test_a_crop_that_does_not_fit_is_refused(shape: tuple[int, ...], crop_size: int) -> None:
    with pytest.raises(UserError, match="1 <= crop size <= image size must hold"):
        apply_draw(torch.zeros(shape), centre_draw(2), crop_size)
