"""Records, identities and rows of commit 5be6a2d (tests/data/identities): its results are found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from platform.errors import UserError
from platform.experiments.experiment_file import write_experiment
from platform.experiments.same_name import refuse_other_rows
from platform.runs.identity import identity
from platform.runs.store import ResultsStore
from tests.runs.known_tasks import KINDS, known_row, known_task

FOLDER = Path(__file__).parent.parent / "data" / "identities"


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of a file there."""
    listed: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())["cases"]
    return listed


TASKS = [pytest.param(kind, case, id=f"{kind}, {case['name']}") for kind in KINDS for case in cases(kind)]
ROWS = [pytest.param(case, id=case["name"]) for case in cases("rows")]


@pytest.mark.parametrize(("kind", "case"), TASKS)
def test_the_same_flags_make_the_same_record_and_identity(kind: str, case: dict[str, Any]) -> None:
    task = known_task(kind, case["flags"], case["what"])
    assert json.loads(json.dumps(task.record)) == case["record"]
    assert task.identity == case["identity"]


@pytest.mark.parametrize("kind", KINDS)
def test_ten_or_more_of_each_kind_are_known(kind: str) -> None:
    assert len({case["identity"] for case in cases(kind)}) >= 10


@pytest.mark.parametrize("method", ["fmpn", "cnn", "cnn_no_mask_loss"])
def test_ten_or_more_fold_runs_of_each_method_are_known(method: str) -> None:
    runs = [case for case in cases("fold_runs") if case["record"]["method"] == method]
    assert len({case["identity"] for case in runs}) >= 10
    assert {case["record"]["fold"]["role"] for case in runs} == {"inner", "final"}


def test_the_known_identities_are_hashes_of_their_records_but_for_the_place_of_weights() -> None:
    for kind in KINDS:
        for case in cases(kind):
            record = json.loads(json.dumps(case["record"]))
            place = record.get("config", {}).get("weights", "")
            if "@" in place:
                released = "released:" if place.startswith("released:") else ""
                record["config"]["weights"] = released + place.partition("@")[2]
            assert identity(record) == case["identity"]


@pytest.mark.parametrize("case", ROWS)
def test_the_same_flags_make_the_same_row(case: dict[str, Any]) -> None:
    """A row may say more now."""
    made = json.loads(json.dumps(known_row(case["flags"], case["what"]).describe("paper")))
    assert {key: made[key] for key in case["row"]} == case["row"]


def test_an_experiment_of_these_rows_takes_them_and_misses_any_that_is_not_asked_for(tmp_path: Path) -> None:
    store, known = ResultsStore(tmp_path), cases("rows")
    stored = {
        "format": "experiment", "name": "known", "command": "python -m platform.crossval",
        "dataset": "ckplus", "preset": "paper", "selection_rule": "paper", "config": {},
        "rows": [case["row"] for case in known],
    }  # fmt: skip
    write_experiment(store, stored)
    rows = [known_row(case["flags"], case["what"]) for case in known]
    refuse_other_rows(store, "known", rows, "paper")
    for number in (1, len(rows) - 1):
        with pytest.raises(UserError, match="known has a row that is not asked for now"):
            refuse_other_rows(store, "known", [*rows[:number], *rows[number + 1 :]], "paper")
