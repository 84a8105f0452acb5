from __future__ import annotations

from pathlib import Path

from platform.inventory.disk_usage import bytes_of
from platform.inventory.sizes import sizes_of
from tests.inventory.known_runs import two_experiments


def test_every_byte_is_counted_once_and_shared_results_are_named(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    (tmp_path / "checkpoints/x").mkdir(parents=True)
    (tmp_path / "checkpoints/x/one").write_bytes(b"1" * 100)
    (tmp_path / "item_cache").mkdir()
    (tmp_path / "item_cache/two").write_bytes(b"1" * 10)
    (tmp_path / "three").write_bytes(b"1")
    store.write("fold_runs", "a" * 24, {}, {"file": b"1" * 1000})
    sizes = sizes_of(store)
    assert sizes.total_bytes == bytes_of(tmp_path)
    assert (sizes.kinds["checkpoints"], sizes.kinds["item cache"], sizes.kinds["other"]) == (100, 10, 1)
    assert sizes.unreferenced_bytes == bytes_of(tmp_path / "fold_runs" / ("a" * 24))
    results = sum(size for name, size in sizes.kinds.items() if name.startswith(("fold", "art")))
    own = sum(one.own_bytes for one in sizes.experiments)
    assert own + sizes.shared_bytes + sizes.unreferenced_bytes == results
    # The fold runs of one fold rest on the same artifacts, so only the fold runs themselves are not shared.
    assert all(one.shared_bytes == sizes.shared_bytes for one in sizes.experiments)
