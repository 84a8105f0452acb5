"""What a beginner's net gets wrong is said in one message, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform.config.configuration import configuration_of, to_dict
from platform.errors import UserError
from platform.models import plugins
from platform.models.costs import known
from platform.models.costs.facts import Costs
from platform.models.costs.known import method_costs, stage_costs
from platform.models.method import Settings
from platform.models.plugins import read_plugin, register

TINY = Path(__file__).parents[2] / "data" / "methods" / "tiny_net.py"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})
    monkeypatch.setattr(known, "_known", [])


def costs_of(folder: Path, old: str = "", new: str = "") -> Costs:
    """Costs of the tiny net with a passage of its file replaced."""
    text = TINY.read_text()
    assert old in text
    file = folder / "mine.py"
    file.write_text(text.replace(old, new) if old else text)
    method = register(read_plugin(str(file)))
    values = to_dict(configuration_of(method.name, **method.presets["smoke"]))
    return method_costs(method.name, values, 7)


def test_a_net_without_fault_is_counted(tmp_path: Path) -> None:
    assert costs_of(tmp_path).parameters == 8 * 3 * 25 + 8 + 32 * 7 + 7


ITEMS = "    def items(self, single, train, settings, inputs):\n        return {}\n\n    def build("


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"loss": classification_loss', '"los": classification_loss',
         "must return a dict with the key loss, but returned a dict with the keys los, "),
        ("classification_loss(logits, batch, settings)", "(logits - 1) ** 2",
         r"must return a scalar tensor as loss, but returned a tensor of shape \(2, 7\)"),
        ("classification_loss(logits, batch, settings)", "logits.detach().mean()",
         "must return a loss that depends on the net's parameters"),
        ("nn.Linear(4 * settings.filters, class_count)", "nn.Linear(4 * settings.filters, 3)",
         r"scores of the method mine must return a tensor of shape \(2, 7\) .*, but returned .* \(2, 3\)"),
        ("nn.Linear(4 * settings.filters, class_count)", "nn.Linear(5, class_count)",
         r"loss of the method mine must work on 2 images, but raised RuntimeError: .*\(line \d+\); correct"),
        ("stride=settings.stride", "stride=settings.strid",
         r"build .* raised AttributeError: 'strid' is not among the declared fields: .*\(line \d+\)"),
        ('"lr": settings.tiny_learning_rate', '"rate": settings.tiny_learning_rate',
         "parameter_groups .* must return a list of dicts with params and lr"),
        ("        return nn.Sequential(", "        nn.Sequential(",
         "build of the method mine must return a torch.nn.Module, but returned NoneType"),
        ("    def build(", ITEMS.format("train"),
         "items of the method mine must return Items .*, but returned TrainView"),
        ("    def build(", ITEMS.format("1 / 0"),
         r"items of the method mine must work on 2 images, but raised ZeroDivisionError: .*\(line \d+\)"),
    ],
)  # fmt: skip
def test_the_first_fault_is_named_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        costs_of(tmp_path, old, new)


def test_images_that_are_too_small_are_told_from_faults(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Tiny net needs images of at least 41 px, but gets 32"):
        costs_of(tmp_path, "nn.Conv2d(3, settings.filters, 5,", "nn.Conv2d(3, settings.filters, 41,")


THREE = TINY.with_name("three_stages.py")


def test_a_fault_of_a_shared_stage_names_the_stage(tmp_path: Path) -> None:
    """It reads an option that it did not declare."""
    text, old = THREE.read_text(), "return net(settings.filter_count, class_count)"
    assert text.count(old) == 2
    (tmp_path / "mine.py").write_text(text.replace(old, "return net(settings.third_rate, class_count)", 1))
    method = register(read_plugin(str(tmp_path / "mine.py")))
    configuration = configuration_of(method.name, **method.presets["smoke"])
    stage = method.artifacts(configuration)["first"]
    settings = Settings(to_dict(configuration), stage.option_names(method.options))
    message = "build of the stage first of the method mine .* 'third_rate' is not among the declared"
    with pytest.raises(UserError, match=message):
        stage_costs(method.name, stage, settings, 7)
