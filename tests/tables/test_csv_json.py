"""Pinned names and order of everything in table.csv and table.json, which other programs read."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.config.settings_source import SettingsSource
from platform.tables.render import render
from platform.tables.table import build_table
from tests.fake_runs import demo_experiment


def keys(text: str) -> list[str]:
    """The words of `text`."""
    return text.split()


ROW = keys(
    """
    source preset experiment dataset method backbone masks seed title selection_rule leakage kind fold_rule
    fold_count folds_finished seed_count repeat_count complete problems data_hash result_version
    selection_score optimism_gap optimism_gap_is_zero_by_construction mean_of_folds_minus_reported images
    sequences subjects image_errors mean_of_folds_image_accuracy mean_of_folds_95_percent_low
    mean_of_folds_95_percent_high fold_standard_deviation pooled_image_accuracy pooled_image_95_percent_low
    pooled_image_95_percent_high pooled_sequence_accuracy majority_sequence_accuracy macro_f1_of_pooled_images
    """
)
MEASURES = keys(
    """
    macro_f1_of_pooled_images_95_percent_low macro_f1_of_pooled_images_95_percent_high
    macro_f1_of_pooled_sequences macro_f1_of_pooled_sequences_95_percent_low
    macro_f1_of_pooled_sequences_95_percent_high
    """
) + [
    key
    for name, has_interval in (
        ("balanced_accuracy", True), ("macro_auc", True), ("expected_calibration_error", False),
        ("overconfidence", True), ("brier_score", True), ("worst_tenth_accuracy", False),
    )
    for start in (f"{name}_of_images", f"{name}_of_sequences")
    for key in (start, *(f"{start}_95_percent_{end}" for end in ("low", "high") if has_interval))
]  # fmt: skip
"""Keys of measures beyond accuracy, which follow all others."""
SEED_MEASURES = [key for key in MEASURES if "95_percent" not in key]
WITHOUT_SCORES = ROW[: ROW.index("images")]
SEEDS = keys(
    """
    source experiment dataset method backbone masks seed seeds title selection_rule leakage kind fold_rule
    fold_count seed_count repeat_count result_version mean_of_folds_image_accuracy
    mean_of_folds_image_accuracy_seed_standard_deviation pooled_image_accuracy
    pooled_image_accuracy_seed_standard_deviation pooled_sequence_accuracy
    pooled_sequence_accuracy_seed_standard_deviation macro_f1_of_pooled_images
    """
)
SEED_DEVIATIONS = [key for key in SEEDS if key.endswith("_seed_standard_deviation")]
REPORTED_NUMBERS = keys(
    """
    reported_accuracy reported_protocol reported_statistic reported_classes reported_frames reported_folds
    reported_source
    """
)
REPORTED_MORE = keys("reported_precision reported_recall reported_f1 reported_test_items")
"""Keys of the reported rows of a paper that prints more than the accuracy, and tests two kinds of items."""
REPORTED = ["source", "dataset", "method", "title", "selection_rule", *REPORTED_NUMBERS]
SETTINGS = ["settings_of", "search_trials", "settings_preset", "settings_given"]
"""Keys of a row that says whose settings it ran with; rows of earlier experiments have none."""
ODD = ["backbone_width", "chosen_folds", "chosen_of"]
"""Keys of a row with a narrower net and chosen folds only, beside those of ROW."""
COMPARISON = keys(
    """
    experiment first second pooled_image_accuracy_difference sign_flip_p_value holm_p_value images subjects
    differing_subjects second_experiment seeds second_seeds
    """
)
ROW_KEYS = ["experiment", "dataset", "method", "backbone", "masks", "seed"]
DETAILS = {
    "folds": ["fold", "image_accuracy", "images", "subjects", "classes", "released_image_accuracy"],
    "classes": [
        "class",
        "images",
        "answered",
        "precision",
        "recall",
        "f1",
        "precision_95_percent_low",
        "precision_95_percent_high",
        "recall_95_percent_low",
        "recall_95_percent_high",
        "f1_95_percent_low",
        "f1_95_percent_high",
        "auc",
        "auc_95_percent_low",
        "auc_95_percent_high",
    ],
    "confusions": ["of", "true", "predicted", "count", "rate"],
    "calibration": [
        "confidence_above",
        "confidence_to",
        "count",
        "mean_confidence",
        "accuracy",
        "accuracy_95_percent_low",
        "accuracy_95_percent_high",
    ],
    "groups": [],
}


FOUND = keys(
    """
    difference difference_95_percent_low difference_95_percent_high difference_p_value
    difference_holm_p_value tests_in_family smallest_p_value compared_seeds detectable_difference
    probability_better probability_equivalent probability_worse
    """
)
COMPARED = ["reference", "reference_experiment", *FOUND]
"""Keys of a row that is compared with the reference."""
SEED_INTERVALS = keys(
    """
    mean_of_folds_95_percent_low mean_of_folds_95_percent_high pooled_image_95_percent_low
    pooled_image_95_percent_high
    """
)


def changed(made: AggregatedRow, **change: Any) -> AggregatedRow:
    return dataclasses.replace(made, row=dataclasses.replace(made.row, **change))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    """Three rows on CK+, so that reported rows stand beside them, and a transfer."""
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    made = aggregate_experiment(store, experiment)
    return [*(changed(one, dataset="ckplus") for one in made[:3]), made[3]]


@pytest.fixture(scope="module")
def every_kind(rows: list[AggregatedRow]) -> list[AggregatedRow]:
    """With a mean over seeds, and a row of a narrower net with chosen folds only."""
    again = changed(rows[0], experiment="again", seed=1)
    return [*rows, again, changed(rows[1], width=0.5, chosen_folds=(0, 2), chosen_of=10)]


def without_scores(made: AggregatedRow) -> AggregatedRow:
    return changed(made, scores=None, problems={0: "is missing"}, configurations=None)


def header(rows: list[AggregatedRow], *parts: str) -> list[str]:
    return render(build_table(rows), "csv", parts).splitlines()[0].split(",")


def test_the_csv_header_is_pinned(rows: list[AggregatedRow], every_kind: list[AggregatedRow]) -> None:
    assert header(rows) == [*ROW, "seeds", *REPORTED_NUMBERS, *COMPARED, *MEASURES, *REPORTED_MORE]
    assert header(rows[3:]) == [*ROW, "seeds", *MEASURES]
    found = header(every_kind)
    before = [*ROW, "seeds", *ODD, *SEED_DEVIATIONS, *REPORTED_NUMBERS]
    assert found[: len(before)] == before
    assert sorted(found[len(before) :]) == sorted([*COMPARED, *MEASURES, *REPORTED_MORE])


def test_the_csv_header_follows_the_first_row_where_that_lacks_scores_or_has_more_keys(
    rows: list[AggregatedRow], every_kind: list[AggregatedRow]
) -> None:
    numbers = ROW[len(WITHOUT_SCORES) :]
    assert header([without_scores(rows[3]), rows[3]]) == [*WITHOUT_SCORES, "seeds", *numbers, *MEASURES]
    expected = list(ROW)
    expected.insert(expected.index("backbone") + 1, ODD[0])
    expected[expected.index("fold_count") + 1 : expected.index("fold_count") + 1] = ODD[1:]
    assert header(every_kind[-1:]) == [
        *expected,
        "seeds",
        *REPORTED_NUMBERS,
        *MEASURES,
        *REPORTED_MORE,
    ]


def test_whose_settings_a_row_ran_with_comes_last(rows: list[AggregatedRow]) -> None:
    searched = SettingsSource(whose="own search", trials=12)
    mixed = SettingsSource(whose="winner", preset="quick", given=("dropout", "weights"))
    tuned = [changed(one, settings=searched) for one in rows[:2]]
    others = [changed(one, settings=mixed) for one in rows[2:]]
    assert header([*tuned, rows[2]]) == [
        *ROW,
        "seeds",
        *REPORTED_NUMBERS,
        *SETTINGS[:2],
        *COMPARED,
        *MEASURES,
        *REPORTED_MORE,
    ]
    assert set(header([*tuned, *others])) == {
        *ROW,
        "seeds",
        *REPORTED_NUMBERS,
        *SETTINGS,
        *COMPARED,
        *MEASURES,
        *REPORTED_MORE,
    }
    section = json.loads(render(build_table([*tuned, others[0]]), "json", []))["sections"][0]
    assert list(section["rows"][0]) == [*ROW, *SETTINGS[:2], *COMPARED, *MEASURES]
    assert section["rows"][2]["settings_given"] == "dropout weights"
    settings = (
        "Settings of FMPN, CNN (baseline): own search of 12 trials; of CNN (no mask loss): the winner's, the "
        "rest from the preset quick, given dropout, weights."
    )
    assert settings in section["notes"]
    assert (section["rows"][0]["settings_of"], section["rows"][0]["search_trials"]) == ("own search", 12)


@pytest.mark.parametrize("part", DETAILS)
def test_the_csv_headers_of_the_parts_are_pinned(rows: list[AggregatedRow], part: str) -> None:
    assert header(rows, part) == ([*ROW_KEYS, *DETAILS[part]] if DETAILS[part] else [""])


def test_the_json_keys_are_pinned(every_kind: list[AggregatedRow]) -> None:
    document = json.loads(render(build_table(every_kind), "json"))
    assert list(document) == ["format", "definitions", "sections"]
    section = document["sections"][0]
    assert list(section) == [
        "dataset", "rows", "over_seeds", "reported", "comparisons", "best", "notes", "ablations",
        "highest_against_others",
    ]  # fmt: skip
    first, odd = section["rows"][0], section["rows"][3]
    assert list(first) == [*ROW, *MEASURES, *DETAILS]
    assert [key for key in odd if key not in first and key not in COMPARED] == ODD
    assert [key for key in odd if key in first] == list(first)
    (group,) = section["over_seeds"]
    assert [key for key in group if key in SEEDS] == SEEDS
    added = [*SEED_INTERVALS, "mean_of_folds_minus_reported", *COMPARED]
    assert set(group) == {*SEEDS, *added, *SEED_MEASURES}
    of_feratt = ["FERAtt paper" in one["reported_source"] for one in section["reported"]]
    assert [list(one) for one in section["reported"]] == [
        [*REPORTED, *REPORTED_MORE] if more else REPORTED for more in of_feratt
    ]
    assert of_feratt.count(True) == 6
    assert all(list(one) == [*COMPARISON, *FOUND] for one in section["comparisons"])
    assert list(first["folds"][0]) == DETAILS["folds"]
    assert list(first["classes"][0]) == DETAILS["classes"]
    assert next(iter(first["confusions"])) == "class_names"


def test_the_json_keys_of_the_best_row_and_of_a_row_without_scores_are_pinned(
    rows: list[AggregatedRow],
) -> None:
    (section,) = json.loads(render(build_table(rows[:2]), "json", []))["sections"]
    assert list(section["best"]) == ROW_KEYS
    (section,) = json.loads(render(build_table([without_scores(rows[0])]), "json", []))["sections"]
    assert list(section["rows"][0]) == WITHOUT_SCORES


def test_stored_words_are_pinned(every_kind: list[AggregatedRow]) -> None:
    section = json.loads(render(build_table(every_kind), "json"))["sections"][0]
    assert {row["source"] for row in section["rows"]} == {"ours"}
    assert section["over_seeds"][0]["source"] == "ours, mean over seeds"
    assert section["over_seeds"][0]["experiment"] == "tune-synthetic-quick again"
    assert section["over_seeds"][0]["seeds"] == [0, 1]
    assert {row["source"] for row in section["reported"]} == {"reported"}
    assert section["reported"][0]["selection_rule"] == "not stated"
    assert {row.get("reported_test_items") for row in section["reported"]} == {
        None,
        "real images",
        "synthetic composites",
    }
    assert section["rows"][3]["chosen_folds"] == "0 2"
