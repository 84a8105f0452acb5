from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from datasets.batches import Batch
from platform.config.configuration import configuration_of, option_names, replace, to_dict
from platform.config.presets import preset
from platform.errors import UserError
from platform.models import load_method
from platform.models.costs.known import method_costs
from platform.models.networks.preactresnet import PreActResNet18
from platform.models.networks.standardisation import CIFAR10_DEVIATION, CIFAR10_MEAN
from platform.training.schedule import learning_rate_factor
from tests.every_method import smallest

NAME = "preactresnet18"


def preset_configuration(name: str) -> dict[str, object]:
    values, options = preset(name, NAME), option_names(NAME)
    return to_dict(configuration_of(NAME, **{key: values[key] for key in options & values.keys()}))


def test_paper_is_the_published_training() -> None:
    """docs/methods.md, §3: Adam 1e-4 with amsgrad, no decay of weights, 60 epochs of batch 200 at 128 px."""
    found = preset_configuration("paper")
    expected = {
        "optimizer": "adam", "classifier_learning_rate": 1e-4, "amsgrad": True, "weight_decay": 0.0,
        "adam_beta1": 0.9, "adam_beta2": 0.999, "stage2_constant_epochs": 60, "stage2_decay_epochs": 0,
        "stage2_batch_size": 200, "drop_last": True, "image_size_pixels": 128, "backbone_width": 1.0,
        "ema_decay": 0.0, "label_smoothing": 0.0, "class_weights": "none", "schedule": "step",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    factors = [
        learning_rate_factor(epoch, constant_epochs=60, decay_epochs=0, schedule="step")
        for epoch in (1, 30, 31, 60)
    ]
    assert factors == pytest.approx([1, 1, 0.1, 0.1])


def test_released_has_the_length_and_batch_of_the_released_script() -> None:
    paper, released = preset_configuration("paper"), preset_configuration("released")
    changed = {name: released[name] for name in released if released[name] != paper[name]}
    assert changed == {"stage2_constant_epochs": 65, "stage2_batch_size": 250}


def test_the_net_sees_the_gray_face_three_times_standardised() -> None:
    method = load_method(NAME)
    settings = method.settings(to_dict(smallest(NAME)))
    torch.manual_seed(0)
    module = method.build(settings, 3).eval()  # type: ignore[attr-defined]
    gray, colour = torch.rand(2, 1, 32, 32), torch.rand(2, 3, 32, 32)
    batch = Batch(image=colour, gray=gray, target_mask=None, labels=torch.tensor([0, 2]))
    planes = [(gray[:, 0] - m) / d for m, d in zip(CIFAR10_MEAN, CIFAR10_DEVIATION, strict=True)]
    net = module[1]
    assert isinstance(net, PreActResNet18)
    with torch.inference_mode():
        logits = net(torch.stack(planes, dim=1))
        scores = method.scores(module, batch)  # type: ignore[attr-defined]
        losses = method.loss(module, batch, settings)  # type: ignore[attr-defined]
    torch.testing.assert_close(scores, logits.softmax(1))
    torch.testing.assert_close(losses["loss"], functional.cross_entropy(logits, batch.labels))
    assert int(losses["correct"]) == int((logits.argmax(1) == batch.labels).sum())


def test_costs_are_those_of_the_published_net() -> None:
    """A convolution of k x k x C numbers takes two operations for each, place and direction (three)."""
    costs = method_costs(NAME, preset_configuration("paper"), 7)
    assert costs.parameters == costs.trained_parameters == 11_169_607
    assert costs.minimum_batch == 1
    products = 128**2 * 9 * 3 * 64 + 4 * 128**2 * 9 * 64**2
    for channels, side in ((128, 64), (256, 32), (512, 16)):
        products += side**2 * channels * (channels // 2 * (9 + 1) + 3 * 9 * channels)
    first_needs_no_gradient_of_its_input = 128**2 * 9 * 3 * 64
    operations = 2 * (3 * products - first_needs_no_gradient_of_its_input)
    assert costs.gflop_an_image == pytest.approx(operations / 1e9, rel=1e-5)
    narrow = method_costs(NAME, {**preset_configuration("paper"), "backbone_width": 0.25}, 7)
    assert narrow.kept_bytes_an_image == pytest.approx(costs.kept_bytes_an_image / 4, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone_width": 0.3}, r"backbone_width must be a multiple of 1/16 up to 1, but got 0\.3"),
        ({"backbone_width": 2.0}, "backbone_width must be a multiple of 1/16 up to 1"),
        ({"classifier_learning_rate": 0.0}, "classifier_learning_rate must be > 0 and < 10"),
        ({"backbone": "resnet18"}, "unknown option of the method preactresnet18 'backbone'"),
    ],
)
def test_bad_options_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(configuration_of(NAME), **changes)


def test_the_table_names_its_net() -> None:
    assert load_method(NAME).net(smallest(NAME)) == "preactresnet18"
