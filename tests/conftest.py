"""Makes `platform.*` importable under every way of starting pytest, and keeps libraries quiet.

`python -m pytest` from the root finds our facade by itself. Plain `pytest` has loaded the standard
library's `platform` long before this file is read, so that module is given our folder as the place
of its submodules: the same thing platform/__init__.py does, after the fact.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import platform

ROOT = Path(__file__).resolve().parent.parent


def make_platform_a_package(root: Path) -> None:
    """Give the loaded `platform` module the folder `root/platform` for its submodules; idempotent."""
    folder = str(root / "platform")
    if folder in getattr(platform, "__path__", ()):
        return
    platform.__path__ = [folder]
    spec = platform.__spec__
    assert spec is not None, "the standard `platform` module has no spec to extend"
    spec.submodule_search_locations = [folder]


if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
make_platform_a_package(ROOT)

# albumentations asks the network for a newer version of itself unless told not to, before its import.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# Ray, quiet: no usage report, the old (silenceable) output, no warning on `num_gpus=0`.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
# Without a mode and a token of its own, `ray.init` warns, and writes a token into the user's home.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test for a GPU skips itself without one."""
    if item.get_closest_marker("gpu") is not None:
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no GPU that torch can use")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository root, absolute."""
    return ROOT


@pytest.fixture
def process_settings_as_before() -> Iterator[None]:
    """For tests that carry out tasks in this process: a task sets torch's threads and cuDNN's choices."""
    import torch

    threads = torch.get_num_threads()
    deterministic, benchmark = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    yield
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = deterministic, benchmark


@pytest.fixture(scope="session")
def drawn_layouts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A set of three people in every native layout, by the layout's name; to be read, not changed."""
    from datasets.synthetic.layouts import LAYOUTS, load_layout
    from tests.layout_trees import FRAMES, SUBJECTS, set_parameters, write_layout

    root = tmp_path_factory.mktemp("layouts")
    parameters = set_parameters(SUBJECTS, FRAMES)
    return {name: write_layout(load_layout(name), root / name, parameters) for name in sorted(LAYOUTS)}
