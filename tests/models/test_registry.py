"""`platform.models` itself: finding methods by name."""

from __future__ import annotations

import pytest

from platform.errors import UserError
from platform.models import load_method, method_names
from platform.models.method import Method


def test_a_methods_file_name_is_its_registry_key() -> None:
    assert method_names() == ["cnn", "cnn_no_mask_loss", "fmpn", "preactresnet18"]
    for name in method_names():
        assert isinstance(load_method(name), Method)


def test_titles_are_the_papers_and_different() -> None:
    assert [load_method(name).title for name in method_names()] == [
        "CNN (baseline)", "CNN (no mask loss)", "FMPN", "PreActResNet18",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["fmpm", "method", "released_checkpoint", "__init__", "networks", "../errors", ""]
)
def test_what_is_no_method_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(
        UserError, match=r"unknown method .*Known: cnn, cnn_no_mask_loss, fmpn, preactresnet18"
    ):
        load_method(name)
