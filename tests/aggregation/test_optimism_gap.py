from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from platform.aggregation.aggregate import aggregate_row
from platform.aggregation.optimism_gap import GapSubjects, gap_interval, gap_subjects
from platform.aggregation.table_row import TableRow
from platform.runs.store import ResultsStore
from platform.search.inner_scores import Counts, accuracy_of_run
from tests.fake_runs import fake_predictions, fake_study, write_experiment, write_fold_run, write_row


def searched(root: Path, **changes: Any) -> tuple[ResultsStore, dict[str, Any]]:
    """A row whose winner was scored on nine subjects, six of whom the row tests, with three others."""
    store = ResultsStore(root)
    inner = [write_fold_run(store, fake_predictions(0.6, fold, seed=9), role="inner") for fold in (1, 2, 3)]
    score = sum(accuracy_of_run(store, one) for one in inner) / 3
    study = fake_study()
    winner = study["trials"][study["winner"]]
    winner |= {"score": score, "params": {"backbone": "resnet18"}}
    winner["runs"] = [{"fold": fold, "part": 0, "identity": one} for fold, one in enumerate(inner)]
    row = write_row(store, accuracy=0.85, **{"selection_score": score, **changes})
    return store, write_experiment(store, [row], studies=[study])


def row_of(store: ResultsStore, experiment: dict[str, Any], *, partial: bool = False) -> TableRow:
    return aggregate_row(store, experiment, experiment["rows"][0], partial=partial).row


def counts(subjects: dict[str, int], images: int = 10) -> Counts:
    return {name: (right, images) for name, right in subjects.items()}


def test_the_interval_is_of_the_gap_that_is_shown(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    row = row_of(store, experiment)
    found, interval = row.gap_subjects, row.optimism_gap_interval
    assert found is not None
    assert interval is not None
    assert row.optimism_gap == pytest.approx(found.gap, abs=1e-12)
    assert interval.estimate == pytest.approx(found.gap, abs=1e-12)
    assert (found.validated, found.tested, found.both) == (9, 9, 6)
    assert len(found.subjects) == interval.subject_count == 12
    assert found.influence.sum() == pytest.approx(0.0, abs=1e-12)
    assert interval.low < row.optimism_gap < interval.high  # type: ignore[operator]


@pytest.mark.parametrize("change", [{"selection_rule": "test"}, {"kind": "transfer"}])
def test_no_interval_of_a_gap_that_is_none_or_of_other_people(tmp_path: Path, change: dict[str, str]) -> None:
    store, experiment = searched(tmp_path, **change)
    assert row_of(store, experiment).optimism_gap_interval is None


def test_no_interval_of_an_incomplete_row_and_of_a_score_without_fold_runs(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    experiment["studies"][0]["trials"][5]["runs"] = []
    row = row_of(store, experiment)
    assert row.optimism_gap is not None
    assert row.optimism_gap_interval is None
    store, experiment = searched(tmp_path)
    experiment["rows"][0]["runs"].pop()
    assert row_of(store, experiment, partial=True).optimism_gap_interval is None


def test_people_who_are_equally_easy_in_both_roles_cancel() -> None:
    people = {f"S{number}": number for number in range(10)}
    found = gap_subjects([(1.0, counts(people))], {0: counts(people)})
    assert found.gap == 0.0
    np.testing.assert_allclose(found.influence, 0.0, atol=1e-15)
    unpaired = gap_subjects([(1.0, counts(people))], {0: counts({f"T{n}": n for n in range(10)})})
    assert unpaired.both == 0
    assert np.abs(unpaired.influence).max() > 0.04


def test_the_parts_of_one_group_are_those_of_a_mean_by_hand() -> None:
    validation = [(1.0, counts({"A": 8, "B": 4}))]
    found = gap_subjects(validation, {0: counts({"A": 5}), 1: counts({"B": 7}, 20)})
    assert found.gap == pytest.approx(0.6 - (0.5 + 0.35) / 2)
    assert found.subjects == ("A", "B")
    by_hand = [(8 - 6) / 20 - (5 - 4.25) / 20, (4 - 6) / 20 - (7 - 8.5) / 40]
    np.testing.assert_allclose(found.influence, by_hand, atol=1e-15)


def test_a_mean_over_seeds_has_an_interval_over_subjects_and_seeds() -> None:
    random = np.random.default_rng(0)
    people = [f"S{number:02d}" for number in range(20)]

    def of_seed(shift: int) -> GapSubjects:
        drawn = random.integers(0, 6, (2, 20)) + shift
        groups = [counts(dict(zip(people, one.tolist(), strict=True))) for one in drawn]
        return gap_subjects([(1.0, groups[0])], {0: groups[1]})

    seeds = [of_seed(shift) for shift in (0, 1, 2)]
    found = gap_interval(seeds)
    assert found is not None
    assert found.seed_count == 3
    assert found.estimate == pytest.approx(np.mean([one.gap for one in seeds]))
    with pytest.raises(ValueError, match="same subjects"):
        gap_interval([seeds[0], gap_subjects([(1.0, counts({"A": 1}))], {0: counts({"B": 1})})])


def test_one_subject_has_no_interval() -> None:
    assert gap_interval([gap_subjects([(1.0, counts({"A": 3}))], {0: counts({"A": 4})})]) is None
    with pytest.raises(ValueError, match="validation runs"):
        gap_subjects([], {0: counts({"A": 4})})


def test_the_interval_covers_a_gap_of_zero() -> None:
    """Twenty people of very different difficulty, ten folds of two, three people validated in each."""
    random, people, covered, repeats = np.random.default_rng(1), np.arange(20), 0, 400
    for _ in range(repeats):
        easy = random.beta(1.2, 0.8, 20)

        def drawn(who: np.ndarray, easy: np.ndarray = easy) -> Counts:
            return {f"S{n:02d}": (int(random.binomial(21, easy[n])), 21) for n in who.tolist()}

        folds = np.array_split(people, 10)
        validation = [(0.1, drawn(random.choice(np.setdiff1d(people, fold), 3, False))) for fold in folds]
        found = gap_interval([gap_subjects(validation, {k: drawn(fold) for k, fold in enumerate(folds)})])
        assert found is not None
        covered += found.low <= 0.0 <= found.high
    assert 0.92 <= covered / repeats <= 0.99
