"""What the libraries say: each that cannot be imported with its reason, and the rest all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform.diagnosis import libraries
from platform.diagnosis.libraries import MODULES, library_facts


def test_a_library_that_cannot_be_imported_is_named_and_the_others_are_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torch

    monkeypatch.setattr(libraries, "MODULES", ("json", "no_such_module", "torch"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "resnet18-f37072fd.pth").write_bytes(b"x")
    (folder / "s3fd-619a316812.pth").touch()  # empty: a download that broke off
    facts = library_facts()
    assert facts["failures"] == {"no_such_module": "ModuleNotFoundError: No module named 'no_such_module'"}
    assert facts["torch"]["version"] == torch.__version__
    assert len(facts["torch"]["gpus"]) == len(facts["torch"]["bf16"]) == torch.cuda.device_count()
    assert facts["imagenet"]["folder"] == str(folder)
    assert facts["imagenet"]["found"] == ["resnet18"]
    assert facts["imagenet"]["missing"]["vgg16_bn"].startswith("vgg16_bn-")
    assert not facts["detector"]["found"]
    assert "s3fd-619a316812.pth" in facts["detector"]["missing"]


def test_what_cannot_be_asked_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("libcudart.so.13: cannot open shared object file\nmore")

    monkeypatch.setattr(libraries, "MODULES", ())
    for name in ("_torch_facts", "_imagenet", "_detector"):
        monkeypatch.setattr(libraries, name, broken)
    failure = {"failure": "OSError: libcudart.so.13: cannot open shared object file"}
    assert library_facts() == {"failures": {}, "torch": failure, "imagenet": failure, "detector": failure}


def test_the_libraries_are_dependencies_of_the_project(root: Path) -> None:
    project = (root / "pyproject.toml").read_text()
    packages = {"PIL": "pillow", "cv2": "opencv-python-headless", "yaml": "pyyaml"}
    names = {name.partition(".")[0] for name in MODULES}
    assert not [name for name in names if f'"{packages.get(name, name)}' not in project]
