from __future__ import annotations

import pytest

from platform.models.player import Player, check_players


def players(*names: str) -> list[Player]:
    return [Player(groups=[], loss=lambda module, batch: {}, name=name) for name in names]


@pytest.mark.parametrize("names", [("",), ("net",), ("generator", "critic"), ("critic", "critic2")])
def test_players_that_curves_can_tell_apart_are_accepted(names: tuple[str, ...]) -> None:
    check_players(players(*names))


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        ((), "at least one player, but got none"),
        (("generator", ""), r"each of several players must have a name, but got \['generator', ''\]"),
        (("critic", "critic"), r"the names of players must differ, but got \['critic', 'critic'\]"),
        # critic's scalar `fake_loss` and critic_fake's `loss`
        (("critic_fake", "critic"), "could not tell the players 'critic' and 'critic_fake' apart"),
    ],
)
def test_others_are_refused(names: tuple[str, ...], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        check_players(players(*names))
