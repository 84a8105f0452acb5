"""Bad input that concerns the nets, through the command: one message, status 2, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from platform.models.networks.backbone_nets import build_backbone
from tests.cli.test_run_flags import ended

SMALL = ("--preset", "smoke", "--backbone", "resnet18")


def refused(
    tmp_path: Path, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The message of `crossval`, which must end as bad input does."""
    places = ["--runs", str(tmp_path / "runs"), "--data-root", str(tmp_path / "data")]
    status, out, err = ended("crossval", [*SMALL, *places, *argv], monkeypatch, capsys)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "data").exists()
    return err


@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        (["--backbone", "inception_v3", "--enlarge-below-pixels", "0"], ["at least 75 px", "gets 32"]),
        (
            ["--backbone", "vgg19", "--image-size-pixels", "31", "--enlarge-below-pixels", "0"],
            ["32 px", "31"],
        ),
        (["--backbone", "resnet151"], ["did you mean 'resnet152'?"]),
        (["--backbone-width", "0.3"], ["multiple of 1/16", "0.3"]),
        (["--weights", "imagenet"], ["ImageNet weights fit only backbone_width 1", "--weights none"]),
        (["--weights", "no/such.pth"], ["there is no file 'no/such.pth'"]),
        (["--stage1-constant-epochs", "0", "--stage1-decay-epochs", "0"], ["must be >= 1, but got 0"]),
        (["--stage2-constant-epochs", "0", "--stage2-decay-epochs", "0"], ["must be >= 1, but got 0"]),
        (["--stage1-learning-rate=-1e-4"], ["stage1_learning_rate must be > 0", "-0.0001"]),
        (["--classifier-learning-rate", "-1"], ["classifier_learning_rate must be > 0", "-1.0"]),
        (["--generator-learning-rate", "-1"], ["generator_learning_rate must be >= 0", "-1.0"]),
        (["--lambda-mask", "-1"], ["lambda_mask must be >= 0", "-1.0"]),
    ],
)
def test_settings_that_no_net_can_have(
    argv: list[str],
    parts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    err = refused(tmp_path, argv, monkeypatch, capsys)
    for part in parts:
        assert part in err


def test_weights_of_another_net_are_refused_with_keys_and_shapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    net = build_backbone("resnet18", 7, width=1 / 16, weights="none", transform_input=True)
    path = tmp_path / "weights.pth"
    torch.save(net.state_dict(), path)
    argv = ["--weights", str(path), "--backbone-width", "0.125"]
    err = refused(tmp_path, argv, monkeypatch, capsys)
    assert f"the weights in {path} do not fit resnet18 of width 0.125" in err
    assert "conv1.weight [4, 3, 7, 7] instead of [8, 3, 7, 7]" in err
    assert "and " in err
    assert " more" in err


def test_a_file_that_holds_no_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "weights.pth").write_text("no weights")
    err = refused(tmp_path, ["--weights", str(tmp_path / "weights.pth")], monkeypatch, capsys)
    assert "weights.pth is not a safetensors file" in err
