"""Start of a fold run from FMPN's released checkpoints (donydchen/FMPN-FER, MIT): `--weights released:FILE`.

A checkpoint is three files of one epoch in a folder, `<epoch>_net_resface.pth` (mask generator),
`<epoch>_net_fusion.pth` (prior fusion net) and `<epoch>_net_cls.pth` (classification net), a state dictionary
each. The setting names one of them and stands for all three. The released code drops keys that it does not
know and refuses none; here every key must be present and fit (docs/methods.md, §2.8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from datasets.raw.fmpn_labels import EXPRESSION_OF_CODE
from platform.errors import UserError
from platform.models.networks.backbones import BACKBONES
from platform.models.networks.weights import (
    RELEASED,
    check_unchanged,
    file_content,
    is_pinned,
    require_match,
    sha256_of,
    state_from,
    weights_file,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

PARTS = ("resface", "fusion", "cls")
"""What the release calls mask generator, prior fusion net and classification net."""
LOGITS = 7
"""Outputs of every released classifier, on MMI too, which has six classes (docs/methods.md, §2.8)."""
CLASS_COUNTS = tuple(len(codes) for codes in EXPRESSION_OF_CODE.values())
"""Classes that a release was trained on: CK+'s seven, and MMI's six, whose seventh output no label trained.
Both number them in the alphabetical order of their names, as this platform does."""
GENERATOR_WIDTH, GENERATOR_BLOCKS = 64, 4
"""Size of the published mask generator."""

GENERATOR_NAMES = {
    "feature_extractor.0": "stem.0",
    "feature_extractor.1": "stem.1",
    "feature_extractor.3": "down1.0",
    "feature_extractor.4": "down1.1",
    "feature_extractor.6": "down2.0",
    "feature_extractor.7": "down2.1",
    "feature_extractor.9": "blocks.0",
    "feature_extractor.10": "blocks.1",
    "feature_extractor.11": "blocks.2",
    "feature_extractor.12": "blocks.3",
    "feature_extractor.13": "up1.conv",
    "feature_extractor.14": "up1.norm",
    "feature_extractor.16": "up2.conv",
    "feature_extractor.17": "up2.norm",
    "res_top.0": "head",
}
"""Modules of the released mask generator to ours; the numbers between have no weights."""

FUSION_NAMES = {"process_a": "face", "process_b": "motion", "model": "mix"}
"""Modules of the released prior fusion net to ours."""

_FILE_NAME = re.compile(rf"(?P<epoch>.+)_net_({'|'.join(PARTS)})\.pth")


def pin_released(weights: str) -> str:
    """The setting with the absolute path of the classifier's file and the SHA-256 of all three files.

    UserError: a name that is none of the release's, or one of the three files cannot be read.
    """
    if is_pinned(weights):
        return weights
    path = Path(weights.removeprefix(RELEASED)).expanduser().absolute()
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise UserError(
            f"weights {RELEASED}FILE must name a file <epoch>_net_cls.pth of FMPN's release, but got "
            f"{path.name!r}; give such a file, or --weights FILE for one of the backbone alone."
        )
    path = path.with_name(f"{match['epoch']}_net_cls.pth")
    return f"{RELEASED}{path}@sha256:{_digest(_contents(path))}"


def check_released(weights: str, backbone: str) -> None:
    """UserError unless the three files of a pinned setting can be read, are unchanged, and fit their nets."""
    import torch

    from platform.models.networks.backbone_nets import build_backbone
    from platform.models.networks.mask_generator import MaskGenerator
    from platform.models.networks.prior_fusion import PriorFusion

    with torch.device("meta"):
        net = build_backbone(backbone, LOGITS, width=1.0, weights="none", transform_input=True)
        _matched(weights, MaskGenerator(GENERATOR_WIDTH, GENERATOR_BLOCKS), PriorFusion(), net, backbone)


def load_released(
    weights: str, mask_generator: nn.Module, prior_fusion: nn.Module, net: nn.Module, *, backbone: str
) -> None:
    """Put the weights of a pinned setting into the three nets; `net`, a `backbone`, may have fewer outputs.

    The first outputs are kept: all seven for CK+'s classes, the first six for MMI's. UserError as
    `check_released`, and for a net with another number of outputs.
    """
    for part, state in _matched(weights, mask_generator, prior_fusion, net, backbone):
        part.load_state_dict(state)


def check_class_counts(counts: Iterable[int]) -> None:
    """UserError unless every data set has as many classes as one of the releases."""
    for count in counts:
        if count not in CLASS_COUNTS:
            raise UserError(
                f"a released classifier knows CK+'s 7 classes or MMI's 6, but the labels have {count}; pass "
                "another --dataset, or --weights imagenet."
            )


def _matched(
    weights: str, mask_generator: nn.Module, prior_fusion: nn.Module, net: nn.Module, backbone: str
) -> list[tuple[nn.Module, dict[str, Tensor]]]:
    """The nets, each with its released weights under our names, checked key by key."""
    states, path = _read(weights)
    bias = f"{BACKBONES[backbone].head}.bias"
    outputs = len(net.get_parameter(bias))
    check_class_counts([outputs])
    expected = dict(net.state_dict())
    for key in (bias, bias.replace(".bias", ".weight")):
        expected[key] = expected[key].new_empty((LOGITS, *expected[key].shape[1:]))
    require_match(expected, states["cls"], _part_of(path, "cls"), f"{backbone} with {LOGITS} outputs")
    head = {key: states["cls"][key][:outputs] for key in (bias, bias.replace(".bias", ".weight"))}
    return [
        (mask_generator, _renamed(mask_generator, GENERATOR_NAMES, states["resface"], path, "resface")),
        (prior_fusion, _renamed(prior_fusion, FUSION_NAMES, states["fusion"], path, "fusion")),
        (net, {**states["cls"], **head}),
    ]


def _renamed(
    net: nn.Module, names: Mapping[str, str], state: dict[str, Tensor], path: Path, part: str
) -> dict[str, Tensor]:
    """Released weights under the names of `net`, whose modules have other names in the release."""
    released = {key: _released_name(key, names) for key in net.state_dict()}
    expected = {released[key]: value for key, value in net.state_dict().items()}
    title = {"resface": "the mask generator", "fusion": "the prior fusion net"}[part]
    require_match(expected, state, _part_of(path, part), title)
    return {key: state[name] for key, name in released.items() if name in state}


def _released_name(key: str, names: Mapping[str, str]) -> str:
    """`feature_extractor.0.weight` for our `stem.0.weight`."""
    for released, own in names.items():
        if key.startswith(f"{own}."):
            return released + key[len(own) :]
    return key


def _read(weights: str) -> tuple[dict[str, dict[str, Tensor]], Path]:
    """The weights of each part, and the path of the classifier's file. UserError: changed or unreadable."""
    file = weights_file(weights)
    assert file is not None
    contents = _contents(file.path)
    check_unchanged(file, _digest(contents))
    states = {part: state_from(contents[part], _part_of(file.path, part)) for part in PARTS}
    return states, file.path


def _contents(path: Path) -> dict[str, bytes]:
    """The bytes of the three files by part. UserError names the one that cannot be read."""
    return {part: file_content(_part_of(path, part)) for part in PARTS}


def _part_of(path: Path, part: str) -> Path:
    """Another file of the same epoch beside the classifier's."""
    return path.with_name(path.name.replace("_net_cls.pth", f"_net_{part}.pth"))


def _digest(contents: Mapping[str, bytes]) -> str:
    """SHA-256 over the three files' own, in the order of PARTS."""
    return sha256_of("".join(sha256_of(contents[part]) for part in PARTS).encode())
