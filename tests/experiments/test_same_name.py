"""An experiment that is there: what a later start may change, and what it says then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan
from platform.errors import UserError
from platform.experiments.description import describe_experiment, write_settings
from platform.experiments.experiment import Experiment, final_rows, plan_experiment
from platform.experiments.rows import PlannedRows, row_of
from platform.runs.fold_tasks import plan_data
from tests.tiny_faces import prepare_tiny, tiny_configuration

PLAN: dict[str, Any] = {
    "folds": 2, "selection_rule": "paper", "baselines": ("cnn",), "transfer_to": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    return root


def started(
    data_root: Path, runs: Path, *, in_advance: bool = False, seed: int = 0, **plan: Any
) -> Experiment:
    """An experiment, planned and described as its command does before the first fold run."""

    def rows(configuration: Any, plan: Plan, data_root: Path) -> PlannedRows:
        data = plan_data(data_root, "synthetic", configuration, plan)
        return PlannedRows(rows=(row_of(configuration, data, plan),), data=(data,))

    made = plan_experiment(
        name="mine", command="python -m platform.crossval", preset="smoke", dataset="synthetic",
        configuration=tiny_configuration(seed=seed), plan=Plan(**PLAN, **plan), data_root=data_root,
        runs_root=runs, search=False, address=None, plan_rows=rows if in_advance else None,
    )  # fmt: skip
    write_settings(made)
    describe_experiment(made, final_rows(made, made.configuration))
    return made


@pytest.mark.parametrize("in_advance", [False, True])
def test_seeds_may_become_more_which_is_said_once(data_root: Path, tmp_path: Path, in_advance: bool) -> None:
    first = started(data_root, tmp_path, in_advance=in_advance, seed=2)
    assert first.remarks == ()
    assert "seeds" not in (first.folder / "config.yaml").read_text(), "as earlier versions wrote it"
    more = started(data_root, tmp_path, in_advance=in_advance, seed=2, seeds=3)
    assert more.remarks == (
        "mine has one seed (2) so far and gets 2 seeds (3, 4) more; its finished fold runs are kept",
    )
    count = len(final_rows(first, first.configuration))
    assert final_rows(more, more.configuration)[:count] == final_rows(first, first.configuration)
    assert started(data_root, tmp_path, in_advance=in_advance, seed=2, seeds=3).remarks == ()


@pytest.mark.parametrize("in_advance", [False, True])
def test_seeds_may_not_become_fewer(data_root: Path, tmp_path: Path, in_advance: bool) -> None:
    started(data_root, tmp_path, in_advance=in_advance, seeds=3)
    for fewer in (1, 2):
        with pytest.raises(UserError) as refusal:
            started(data_root, tmp_path, in_advance=in_advance, seeds=fewer)
        assert f"mine was started with --seeds 3, and now it is {fewer}; pass --seeds 3" in str(refusal.value)
    with pytest.raises(UserError, match="seed was 0 and is now 1"):
        started(data_root, tmp_path, in_advance=in_advance, seed=1, seeds=3)


def test_a_row_that_is_not_asked_for_is_named_with_its_seed(data_root: Path, tmp_path: Path) -> None:
    """As of a reproduction whose seeds were listed, by an earlier version."""
    made = started(data_root, tmp_path, in_advance=True, seeds=3)
    path = made.folder / "config.yaml"
    path.write_text(path.read_text().replace("seeds: 3\n", ""))
    with pytest.raises(UserError, match=r"mine has a row that is not asked for now \(FMPN .*, seed 1\)"):
        started(data_root, tmp_path, in_advance=True)
