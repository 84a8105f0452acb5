from __future__ import annotations

import torch

from platform.training.seeding import derived_seed, generator, torch_seeded


def test_a_seed_is_the_same_everywhere_and_another_one_for_each_purpose() -> None:
    # The first eight bytes of `printf 0/stage1/1/order | sha256sum`, shifted by one bit.
    assert derived_seed(0, "stage1", 1, "order") == 0xDD25936B37B4FCE0 >> 1
    purposes: list[tuple[str | int, ...]] = [
        (), ("stage1",), ("stage2",), ("stage1", 1), ("stage1", 2), ("stage1", 11), ("stage1", "1/1"),
    ]  # fmt: skip
    seeds = [derived_seed(seed, *purpose) for seed in (0, 1) for purpose in purposes]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_generator_gives_the_same_stream_for_the_same_purpose() -> None:
    first, again, other = (generator(0, "stage1", epoch, "order") for epoch in (1, 1, 2))
    draws = [torch.rand(4, generator=stream) for stream in (first, again, other)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_torchs_own_generator_is_seeded_inside_and_untouched_outside() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with torch_seeded(0, "initialisation"):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    torch.rand(7)
    with torch_seeded(0, "initialisation"):
        assert torch.equal(torch.rand(3), first)


def test_torchs_own_generator_is_restored_after_an_error() -> None:
    state = torch.random.get_rng_state()
    try:
        with torch_seeded(0, "initialisation"):
            raise KeyError
    except KeyError:
        pass
    assert torch.equal(torch.random.get_rng_state(), state)
