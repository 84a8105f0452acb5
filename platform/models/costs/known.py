"""Costs of methods, each net counted once in a process and known from then on.

The first count imports torch; what is known already does not. So the driver counts while it plans, and hands
on what it knows (`known_costs`, `remember_costs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from platform.models import load_method
from platform.models.costs.facts import NOT_COUNTED, Costs
from platform.models.costs.read_settings import ReadSettings
from platform.models.method import Method, Settings
from platform.models.net_method import NetMethod
from platform.models.networks.backbones import OWN_DROPOUT
from platform.models.shared_stage import SharedStage

if TYPE_CHECKING:
    from torch import nn

    from platform.models.artifact import Content
    from platform.models.items import Items
    from platform.models.player import Player
    from platform.models.train_view import TrainView


@dataclass(frozen=True, kw_only=True)
class KnownCosts:
    """The costs of one net, and all that they depend on."""

    of: str
    """The method's name, with the SHA-256 of its file if that is not part of this repository, and a shared
    stage's after a slash."""
    class_count: int
    size_pixels: int
    read: Mapping[str, Any]
    """The settings that were read to build it. Others, such as learning rates, change no cost."""
    costs: Costs | None
    """None: it cannot be trained on images of this size."""
    least_pixels: int = 0
    """The smallest size that it accepts, where this one is too small."""


PLAIN_BACKBONE = {"weights": "none", "dropout": OWN_DROPOUT}
"""Options of a backbone that change numbers but no cost, and the values with which it is counted."""

_known: list[KnownCosts] = []


def method_costs(name: str, values: Mapping[str, Any], class_count: int) -> Costs:
    """Costs of a fold run of the method called `name`; of its last stage, if it has several.

    values: a configuration's, or those of a fold run's record. Weights are neither read nor downloaded.
    UserError: images too small for the net.
    """
    method = load_method(name)
    settings = method.settings(_plain(values))
    stated = method.costs(settings, class_count)
    if stated is not None or not isinstance(method, NetMethod):
        return stated or NOT_COUNTED
    net = _Net(
        of=_code(method),
        stage=f"the method {method.name}",
        build=lambda read: method.build(read, class_count),
        players=lambda module: method.players(module, settings),
        items=method.items,
        unit=method.unit,
    )
    return _accepted(_found_and_checked(method, net, settings, class_count), method.title, settings)


def stage_costs(method: str, stage: SharedStage, settings: Settings, class_count: int) -> Costs:
    """Costs of a stage that the fold runs of the method called `method` share.

    settings: the options that reach it. UserError: images too small for the net.
    """
    whose = load_method(method)
    net = _Net(
        of=f"{_code(whose)}/{stage.name}",
        stage=f"the stage {stage.name} of the method {method}",
        build=lambda read: stage.build(read, class_count),
        players=lambda module: stage.players(module, settings),
        items=stage.items,
        unit=stage.unit,
    )
    return _accepted(_found_and_checked(whose, net, settings, class_count, stage), stage.title, settings)


@dataclass(frozen=True, kw_only=True)
class _Net:
    """A net to be counted: the last stage's or a shared one's."""

    of: str
    """As in `KnownCosts`."""
    stage: str
    """In messages."""
    build: Callable[[Settings], nn.Module]
    players: Callable[[nn.Module], Sequence[Player]]
    items: Callable[[Items, TrainView, Any, Mapping[str, Content]], Items]
    unit: str
    """A sequence counts with `frames` frames: no batch has more of one."""


def _found_and_checked(
    method: Method, net: _Net, settings: Settings, class_count: int, stage: SharedStage | None = None
) -> KnownCosts:
    """As `_find`; what a plug-in's net or shared stage gets wrong is told when it is counted.

    UserError: a plug-in's net that cannot be trained.
    """
    known = len(_known)
    try:
        found = _find(net, settings, class_count)
    except Exception:
        _check(method, stage, settings, class_count)
        raise
    if found.costs is not None and len(_known) > known:
        _check(method, stage, settings, class_count)
    return found


def _check(method: Method, stage: SharedStage | None, settings: Settings, class_count: int) -> None:
    """Nothing for a method of this repository, which tests hold to the same."""
    if method.plugin is None:
        return
    from platform.models.costs.net_checks import check_net, check_stage

    if stage is not None:
        check_stage(method, stage, settings, class_count)
    elif isinstance(method, NetMethod):
        check_net(method, settings, class_count)


def known_costs() -> tuple[KnownCosts, ...]:
    """All that this process knows."""
    return tuple(_known)


def remember_costs(known: Iterable[KnownCosts]) -> None:
    """Know what another process of the same code has counted."""
    _known.extend(known)


def _code(method: Method) -> str:
    return method.name if method.plugin is None else f"{method.name}@{method.plugin.sha256}"


def _plain(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of the cheapest start of the same net."""
    return {**values, **PLAIN_BACKBONE} if "backbone" in values else values


def _find(net: _Net, settings: Settings, class_count: int) -> KnownCosts:
    """What is known of such a net; else it is counted.

    Whoever builds, and makes items, with the same values of all that was read has the same costs.
    """
    of, size = net.of, settings.image_size_pixels
    for one in _known:
        if (one.of, one.class_count, one.size_pixels) == (of, class_count, size) and all(
            getattr(settings, name, None) == value for name, value in one.read.items()
        ):
            return one
    from platform.models.costs.counting import TooSmallImagesError, count
    from platform.models.costs.trial_items import trial_items_batch

    noted: dict[str, Any] = {}
    read = ReadSettings(settings, noted)
    costs, least = None, 0
    try:
        costs = count(
            lambda: net.build(read),
            net.players,
            size_pixels=size,
            class_count=class_count,
            batch_of=lambda items, pixels: trial_items_batch(
                lambda single, train, inputs: net.items(single, train, read, inputs),
                items=items, size_pixels=pixels, class_count=class_count, stage=net.stage,
                frames=read.frames if net.unit == "sequence" else 0,
            ),
        )  # fmt: skip
    except TooSmallImagesError as error:
        least = error.least_pixels
    _known.append(
        KnownCosts(
            of=of, class_count=class_count, size_pixels=size, read=noted, costs=costs, least_pixels=least
        )
    )
    return _known[-1]


def _accepted(found: KnownCosts, title: str, settings: Settings) -> Costs:
    if found.costs is not None:
        return found.costs
    values = settings.to_dict()
    enlarged = max(found.size_pixels, values.get("enlarge_below_pixels", 0))
    remedy = "raise --image-size-pixels"
    if "enlarge_below_pixels" in values:
        remedy += " (or --enlarge-below-pixels)"
    if "backbone" in values:
        remedy += ", or choose another --backbone"
    raise UserError(
        f"{values.get('backbone', title)} needs images of at least {found.least_pixels} px, but gets "
        f"{enlarged}; {remedy}."
    )
