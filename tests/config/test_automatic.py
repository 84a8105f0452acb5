from __future__ import annotations

from platform.config.automatic import automatic_by_default


def test_every_preset_looks_for_a_gpu_and_only_the_papers_size_for_its_precision() -> None:
    assert automatic_by_default("paper") == {"gpus_per_run", "precision"}
    for name in ("released", "quick", "smoke"):
        assert automatic_by_default(name) == {"gpus_per_run"}
