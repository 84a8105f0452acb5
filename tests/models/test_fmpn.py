from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from datasets.batches import Batch
from platform.config.configuration import configuration_of, to_dict
from platform.models import load_method
from platform.models.method import Settings
from platform.models.networks.facial_motion_prior import FacialMotionPriorNetwork


class Fixed(nn.Module):
    """Answers with what it was given at the start."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer
        self.seen: tuple[torch.Tensor, ...] = ()

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        self.seen = inputs
        return self.answer


def test_the_whole_published_network_has_27841256_parameters() -> None:
    method = load_method("fmpn")
    values = {**to_dict(configuration_of()), "weights": "none"}
    with torch.device("meta"):
        module = method.build(method.settings(values), 7)
        logits = module(torch.empty(2, 3, 299, 299), torch.empty(2, 1, 299, 299))[2]
    assert sum(parameter.numel() for parameter in module.parameters()) == 27_841_256
    assert logits.shape == (2, 7)


def test_generator_fusion_and_head_start_as_released() -> None:
    """docs/methods.md, §2.2 and §2.4: Xavier normal 0.02, batch norm N(1, 0.02), slopes 0.25, biases 0."""
    torch.manual_seed(0)
    method = load_method("fmpn")
    values = {**to_dict(configuration_of()), "weights": "none", "backbone": "resnet18"}
    module = method.build(method.settings(values), 7)
    trained = [module.get_submodule(name) for name in ("mask_generator", "prior_fusion")]
    head = module.get_submodule("classifier.backbone.fc")
    layers = [layer for part in [*trained, head] for layer in part.modules()]
    convolutions = [x for x in layers if isinstance(x, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)]
    assert len(convolutions) == 1 + 2 + 8 + 2 + 1 + 5 + 1
    for layer in convolutions:
        weight = layer.weight.detach()
        area = weight[0, 0].numel() if weight.ndim == 4 else 1
        expected = 0.02 * math.sqrt(2 / (weight.shape[0] * area + weight.shape[1] * area))
        # Five standard deviations of a standard deviation that is estimated from so many numbers.
        assert float(weight.std()) == pytest.approx(expected, rel=5 / math.sqrt(2 * weight.numel()))
    assert isinstance(head, nn.Linear)
    assert not head.bias.any()
    norms = [x for x in layers if isinstance(x, nn.BatchNorm2d)]
    weights = torch.cat([norm.weight.detach() for norm in norms])
    assert float(weights.mean()) == pytest.approx(1, abs=0.002)
    assert float(weights.std()) == pytest.approx(0.02, rel=0.1)
    assert not any(bool(norm.bias.any()) for norm in norms)
    slopes = [x.weight.tolist() for x in layers if isinstance(x, nn.PReLU)]
    assert slopes == [[0.25]] * 10  # two a block, each one number for all channels


def test_the_mask_covers_the_gray_face_and_the_fused_face_is_classified() -> None:
    image, gray = torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8)
    mask, fused, logits = torch.rand(2, 1, 8, 8), torch.rand(2, 3, 8, 8), torch.rand(2, 4)
    parts = generator, fusion, classifier = Fixed(mask), Fixed(fused), Fixed(logits)
    outputs = FacialMotionPriorNetwork(*parts)(image, gray)
    assert all(a is b for a, b in zip(outputs, (mask, fused, logits), strict=True))
    assert torch.equal(generator.seen[0], gray)
    assert torch.equal(fusion.seen[0], image)
    assert torch.equal(fusion.seen[1], mask * gray)
    assert torch.equal(classifier.seen[0], fused)


PLAIN_LOSS = Settings({"label_smoothing": 0.0}, ("label_smoothing",))


def known_case() -> tuple[nn.Module, Batch]:
    """Logits (log 3, 0) for both images, so probabilities 3/4 and 1/4; the mask misses its target by 1/2."""
    logits = torch.tensor([[3.0, 1.0], [3.0, 1.0]]).log()
    module = FacialMotionPriorNetwork(
        Fixed(torch.full((2, 1, 4, 4), 0.75)), Fixed(torch.rand(2, 3, 4, 4)), Fixed(logits)
    )
    batch = Batch(
        image=torch.rand(2, 3, 4, 4),
        gray=torch.rand(2, 1, 4, 4),
        target_mask=torch.full((2, 1, 4, 4), 0.25),
        labels=torch.tensor([0, 1]),
    )
    return module, batch


@pytest.mark.parametrize(("lambda_classification", "lambda_mask"), [(1.0, 10.0), (1.0, 0.1), (2.0, 0.0)])
def test_the_loss_is_the_weighted_sum_of_both_by_hand(
    lambda_classification: float, lambda_mask: float
) -> None:
    module, batch = known_case()
    fields = {
        "lambda_classification": lambda_classification, "lambda_mask": lambda_mask, "label_smoothing": 0.0,
    }  # fmt: skip
    values = load_method("fmpn").loss(module, batch, Settings(fields, tuple(fields)))
    # -(log 3/4 + log 1/4) / 2 = 0.836988..., and (0.75 - 0.25)^2 = 0.25
    assert float(values["classification_loss"]) == pytest.approx(0.8369882, rel=1e-6)
    assert float(values["mask_loss"]) == pytest.approx(0.25)
    total = lambda_classification * 0.8369882 + lambda_mask * 0.25
    assert float(values["loss"]) == pytest.approx(total, rel=1e-6)
    assert int(values["correct"]) == 1


def test_without_the_mask_loss_only_the_cross_entropy_is_left() -> None:
    module, batch = known_case()
    values = load_method("cnn_no_mask_loss").loss(module, batch, PLAIN_LOSS)
    assert set(values) == {"loss", "correct"}
    assert float(values["loss"]) == pytest.approx(0.8369882, rel=1e-6)


def test_generator_and_the_rest_train_at_rates_of_their_own() -> None:
    method = load_method("fmpn")
    module = FacialMotionPriorNetwork(nn.Linear(1, 1), nn.Linear(1, 2), nn.Linear(1, 3))
    fields = {"generator_learning_rate": 1e-5, "classifier_learning_rate": 1e-4}
    generator, others = method.parameter_groups(module, Settings(fields, tuple(fields)))
    assert (generator["lr"], others["lr"]) == (1e-5, 1e-4)
    assert {id(p) for p in generator["params"]} == {id(p) for p in module.mask_generator.parameters()}
    assert sum(p.numel() for p in others["params"]) == 4 + 6


def test_pictures_show_face_mask_fusion_and_the_target_where_there_is_one() -> None:
    module, batch = known_case()
    names = ["face", "predicted mask", "target mask", "fused"]
    assert list(load_method("fmpn").pictures(module, batch)) == names
    assert torch.equal(load_method("fmpn").pictures(module, batch)["face"], batch.image)
    bare = Batch(image=batch.image, gray=batch.gray, target_mask=None, labels=batch.labels)
    assert list(load_method("fmpn").pictures(module, bare)) == ["face", "predicted mask", "fused"]


def test_the_baseline_is_the_cross_entropy_on_the_face() -> None:
    batch = known_case()[1]
    module = Fixed(torch.tensor([[3.0, 1.0], [3.0, 1.0]]).log())
    values = load_method("cnn").loss(module, batch, PLAIN_LOSS)
    expected = functional.cross_entropy(module.answer, batch.labels)
    assert float(values["loss"]) == float(expected)
    assert module.seen[0] is batch.image
