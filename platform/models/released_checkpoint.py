"""FMPN's released checkpoints (donydchen/FMPN-FER, MIT) in our FMPN module.

A checkpoint is three files of an epoch, `<epoch>_net_resface.pth` (mask generator),
`<epoch>_net_fusion.pth` (prior fusion) and `<epoch>_net_cls.pth` (classification net): a state
dictionary each. The released code drops keys that it does not know and refuses none; here every key
must be there and fit (METHODS 2.8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datasets.raw.fmpn_labels import EXPRESSION_OF_CODE
from platform.errors import unknown_name
from platform.models.networks.weights import read_state, require_match

if TYPE_CHECKING:
    from torch import nn

    from platform.models.fmpn import FacialMotionPriorNetwork

LOGITS = 7
"""Outputs of every released classifier, on MMI too, which has six classes (METHODS 2.8)."""

GENERATOR_PARTS = {
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
"""Modules of the released mask generator to ours; what is numbered between has no weights."""

FUSION_PARTS = {"process_a": "face", "process_b": "motion", "model": "mix"}
"""Modules of the released prior fusion net to ours."""


def load_released_checkpoint(
    folder: Path, epoch: int, *, dataset: str, class_names: Sequence[str], backbone: str = "inception_v3"
) -> FacialMotionPriorNetwork:
    """The released FMPN of `epoch` in `folder`, on the CPU, in evaluation mode.

    `dataset`, CK+ or MMI, is what it was trained on: it gives the logits their names, because the
    release codes its classes by number, CK+ from 1 to 7 and MMI from 0 to 5. The result's logits are
    those of `class_names`, some or all of them, in that order. The seventh logit of an MMI checkpoint
    stands for no class and is left out: a face that it won would be an error of the released code.

    Raises UserError: unknown data set, class or backbone, a file missing or not one of tensors alone,
    and all keys of a file that are missing, unknown or of another shape.
    """
    if dataset not in EXPRESSION_OF_CODE:
        raise unknown_name("released data set", dataset, EXPRESSION_OF_CODE)
    logits = [_logit(name, dataset) for name in class_names]
    module = _published_network(backbone)
    net = module.classifier.get_submodule("backbone")
    _load_part(module.mask_generator, GENERATOR_PARTS, folder / f"{epoch}_net_resface.pth", "the generator")
    _load_part(module.prior_fusion, FUSION_PARTS, folder / f"{epoch}_net_fusion.pth", "the fusion net")
    _load_part(net, {}, folder / f"{epoch}_net_cls.pth", f"{backbone} with {LOGITS} outputs")
    _keep_logits(net, backbone, logits)
    return module.eval()


def _logit(class_name: str, dataset: str) -> int:
    """The released classifier's output for that class: its code less the lowest."""
    names = EXPRESSION_OF_CODE[dataset].values()
    if class_name not in names:
        raise unknown_name(f"class of the released {dataset}", class_name, names)
    return list(names).index(class_name)


def _published_network(backbone: str) -> FacialMotionPriorNetwork:
    """As the preset `released` builds it, with random weights; torch's generator stays as it is."""
    import torch

    from platform.models.fmpn import FacialMotionPriorNetwork
    from platform.models.method import Settings
    from platform.models.networks.backbones import OWN_DROPOUT, check_backbone
    from platform.models.networks.classifier import CLASSIFIER_FIELDS, Classifier
    from platform.models.networks.mask_generator import MaskGenerator
    from platform.models.networks.prior_fusion import PriorFusion

    check_backbone(backbone, 299, 1.0, "none")
    values = {
        "backbone": backbone,
        "backbone_width": 1.0,
        "weights": "none",
        "transform_input": True,
        "enlarge_below_pixels": 0,
        "dropout": OWN_DROPOUT,
        "freeze_backbone": False,
    }
    with torch.random.fork_rng(devices=[]):
        classifier = Classifier(Settings(values, CLASSIFIER_FIELDS), LOGITS)
        return FacialMotionPriorNetwork(MaskGenerator(), PriorFusion(), classifier)


def _load_part(part: nn.Module, names: Mapping[str, str], path: Path, title: str) -> None:
    """Load one released file into `part`, whose modules have other names in the release (`names`)."""
    state = read_state(path)
    own = part.state_dict()
    released = {key: _released_name(key, names) for key in own}
    require_match({released[key]: value for key, value in own.items()}, state, path, title)
    part.load_state_dict({key: state[name] for key, name in released.items() if name in state})


def _released_name(key: str, names: Mapping[str, str]) -> str:
    """`feature_extractor.0.weight` for our `stem.0.weight`."""
    for released, own in names.items():
        if key.startswith(f"{own}."):
            return released + key[len(own) :]
    return key


def _keep_logits(net: nn.Module, backbone: str, logits: Sequence[int]) -> None:
    """Reduce the head to these outputs, in this order."""
    import torch

    from platform.models.networks.backbone_nets import head_of, replace_head

    trained = head_of(net, backbone)
    with torch.random.fork_rng(devices=[]):
        replace_head(net, backbone, len(logits))
    head = head_of(net, backbone)
    with torch.no_grad():
        head.weight.copy_(trained.weight[list(logits)])
        head.bias.copy_(trained.bias[list(logits)])
