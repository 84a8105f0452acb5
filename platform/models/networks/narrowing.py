"""Narrowing of a net to a share of its channels, for quick runs; ours, not published.

Only widths change. A layer that cannot be scaled is refused by name: leaving it as it is, or building
another in its place, would give another net under the same name.
"""

from __future__ import annotations

from torch import nn

from platform.errors import UserError
from platform.models.networks.strided_pointwise import convolution

COLOURS = 3
"""Input channels of the first convolution, which stay."""


def narrow(net: nn.Module, width: float, *, name: str, head: str) -> None:
    """Replace every convolution, batch norm and Linear layer of `net` by one with `width` of its channels.

    Convolutions restart from He initialisation (fan out), Linear layers from torch's own. `head`: the dotted
    name of the last Linear, whose outputs may be any number, because it is replaced afterwards. UserError: a
    layer with parameters of another kind, a grouped, dilated or otherwise special one, or a channel count
    that would not stay whole; `net` is then left as it was.
    """
    replacements = [
        (parent_name, attribute, layer)
        for parent_name, parent in net.named_modules()
        for attribute, layer in parent.named_children()
        if _has_parameters(layer)
    ]
    if _has_parameters(net):
        raise _refusal(name, width, name, f"a {type(net).__name__} with parameters beside its layers")
    for parent_name, attribute, layer in replacements:
        path = f"{parent_name}.{attribute}".lstrip(".")
        problem = _problem(layer, width, is_head=path == head)
        if problem:
            raise _refusal(name, width, path, problem)
    for parent_name, attribute, layer in replacements:
        setattr(net.get_submodule(parent_name), attribute, _narrowed(layer, width))


def _refusal(name: str, width: float, layer: str, problem: str) -> UserError:
    return UserError(
        f"narrowing scales convolutions, batch norms and Linear layers alone, but {layer} of {name} is "
        f"{problem}; pass --backbone-width 1 instead of {width:g}, or choose another --backbone."
    )


def _has_parameters(layer: nn.Module) -> bool:
    """Whether it holds parameters or buffers itself, not through layers inside it."""
    own = (*layer.parameters(recurse=False), *layer.buffers(recurse=False))
    return bool(own)


def _problem(layer: nn.Module, width: float, *, is_head: bool) -> str:
    """Why the layer cannot be narrowed; empty where it can be."""
    kind = type(layer)
    if kind not in (nn.Conv2d, nn.BatchNorm2d, nn.Linear):
        return f"a {kind.__name__}"
    special = _special(layer)
    if special:
        return f"a {kind.__name__} with {special}"
    counts = _channels(layer)[:1] if is_head else _channels(layer)
    broken = [count for count in counts if (count * width) % 1 and count != COLOURS]
    return (
        f"a {kind.__name__} of {broken[0]} channels, of which {width:g} is no whole number" if broken else ""
    )


def _special(layer: nn.Module) -> str:
    """The first property that a narrowed layer would lose; empty where all are the usual ones."""
    if isinstance(layer, nn.Conv2d):
        unusual = {
            f"{layer.groups} groups": layer.groups != 1,
            f"dilation {layer.dilation}": layer.dilation != (1, 1),
            f"padding {layer.padding!r}": isinstance(layer.padding, str),
            f"padding mode {layer.padding_mode}": layer.padding_mode != "zeros",
        }
    elif isinstance(layer, nn.BatchNorm2d):
        unusual = {
            "no weights": not layer.affine,
            "no running statistics": not layer.track_running_stats,
            f"momentum {layer.momentum}": layer.momentum != 0.1,
        }
    else:
        unusual = {"no bias": layer.bias is None}
    return next((text for text, holds in unusual.items() if holds), "")


def _channels(layer: nn.Module) -> tuple[int, ...]:
    """Its inputs and outputs; of a batch norm the one number that is both."""
    if isinstance(layer, nn.Conv2d):
        return layer.in_channels, layer.out_channels
    if isinstance(layer, nn.BatchNorm2d):
        return (layer.num_features,)
    assert isinstance(layer, nn.Linear)
    return layer.in_features, layer.out_features


def _narrowed(layer: nn.Module, width: float) -> nn.Module:
    def scaled(count: int) -> int:
        return count if count == COLOURS else round(count * width)

    if isinstance(layer, nn.Conv2d):
        new = convolution(
            scaled(layer.in_channels),
            scaled(layer.out_channels),
            layer.kernel_size,  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
            bias=layer.bias is not None,
        )
        nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
        return new
    if isinstance(layer, nn.BatchNorm2d):
        return nn.BatchNorm2d(scaled(layer.num_features), eps=layer.eps)
    assert isinstance(layer, nn.Linear)
    return nn.Linear(scaled(layer.in_features), scaled(layer.out_features))
