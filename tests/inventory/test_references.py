from __future__ import annotations

from pathlib import Path

import pytest

from platform.errors import UserError
from platform.inventory.references import References, verified_references
from platform.inventory.runs_folder import experiment_folders
from tests.inventory.known_runs import two_experiments


def test_an_experiment_refers_to_its_fold_runs_and_what_they_rest_on(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    store.write("artifacts", "d" * 24, {"rests_on": {"x": "c" * 24}}, {})
    store.write("artifacts", "c" * 24, {}, {})
    references = References(store)
    found = verified_references(references, experiment_folders(store))
    kinds = [kind for kind, _ in found["first"]]
    assert (kinds.count("fold_runs"), kinds.count("masks"), kinds.count("stage1")) == (3, 3, 3)
    assert len([result for result in found["first"] & found["second"] if result[0] == "fold_runs"]) == 1
    assert references.closure(["d" * 24]) == {("artifacts", "d" * 24), ("artifacts", "c" * 24)}


def test_trials_are_references_too(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    store.write("fold_runs", "a" * 24, {}, {})
    path = tmp_path / "experiments/first/experiment.json"
    path.write_text(
        path.read_text().replace('"study": null', f'"study": {{"trials": [{{"identity": "{"a" * 24}"}}]}}')
    )
    assert ("fold_runs", "a" * 24) in References(store).of_experiment(path.parent)


def test_an_experiment_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    path = tmp_path / "experiments/first/experiment.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match="'first' refers to is unknown"):
        verified_references(References(store), {"first": path.parent})
