from __future__ import annotations

from pathlib import Path

import pytest

from platform.errors import UserError
from platform.inventory.runs_folder import (
    ITEM_CACHE,
    RESULT_KINDS,
    experiment_folder,
    experiment_folders,
    open_runs,
    result_identities,
    subfolders,
)
from platform.models import load_method, method_names
from tests.inventory.known_runs import two_experiments


def test_a_search_without_experiment_json_is_listed_and_an_empty_folder_is_not(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    (tmp_path / "experiments" / "searching").mkdir()
    (tmp_path / "experiments" / "searching" / "config.yaml").write_text("")
    (tmp_path / "experiments" / "empty").mkdir()
    assert list(experiment_folders(store)) == ["first", "searching", "second"]


def test_an_unknown_experiment_names_the_nearest(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    with pytest.raises(
        UserError, match=r"no experiment 'frist'.*did you mean 'first'\?.*lists the 2 there are"
    ):
        experiment_folder(store, "frist")
    with pytest.raises(UserError, match="no experiment"):
        experiment_folder(store, "../experiments/first")


@pytest.mark.parametrize(("make", "reason"), [(False, "is not a folder"), (True, "holds neither")])
def test_a_runs_folder_that_is_none_is_refused(tmp_path: Path, make: bool, reason: str) -> None:
    folder = tmp_path / "other"
    if make:
        folder.mkdir()
    with pytest.raises(UserError, match=reason):
        open_runs(folder)


def test_links_lead_nowhere(tmp_path: Path) -> None:
    store = two_experiments(tmp_path / "runs")
    (tmp_path / "elsewhere" / ("a" * 24)).mkdir(parents=True)
    (tmp_path / "runs/experiments/link").symlink_to(tmp_path / "runs/experiments/first")
    (tmp_path / "runs/artifacts").symlink_to(tmp_path / "elsewhere")
    assert "link" not in experiment_folders(store)
    assert subfolders(tmp_path / "runs/artifacts") == []
    assert list(result_identities(store, "artifacts")) == []


def test_every_artifact_of_a_method_goes_to_a_known_kind() -> None:
    from platform.config.configuration import configuration_of

    kinds = {
        artifact.folder
        for name in method_names()
        for artifact in load_method(name).artifacts(configuration_of(name)).values()
    }
    assert kinds <= set(RESULT_KINDS)


def test_the_folders_are_those_that_runs_write_to() -> None:
    from platform.runs.item_cache import FOLDER

    assert FOLDER == ITEM_CACHE
