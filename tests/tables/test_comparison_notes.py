"""Sentences on differences: what was tested, with how many seeds, and what the data cannot show."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.paired_images import paired_images
from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.predictions import concatenate
from platform.runs.store import ResultsStore
from platform.tables.column import READ
from platform.tables.comparison_notes import difference_note, paired_seeds_text
from platform.tables.notes import section_notes
from platform.tables.render import FORMATS, render
from platform.tables.section_lines import text_table
from platform.tables.table import Section, build_table
from tests.fake_runs import fake_predictions, write_experiment, write_row, write_seeds


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    """Two methods with three seeds each, the third one better than the second only by chance."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    written = [
        *write_seeds(store, accuracy=0.9),
        *write_seeds(store, "cnn", "CNN (baseline)", 0.5, draw=1),
    ]
    return aggregate_experiment(store, write_experiment(store, written))


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    written = [write_row(store, accuracy=0.9), write_row(store, "cnn", "CNN (baseline)", 0.5, seed=1)]
    return aggregate_experiment(store, write_experiment(store, written))


def section_of(rows: list[AggregatedRow]) -> Section:
    return build_table(rows).sections[0]


def notes_of(rows: list[AggregatedRow]) -> str:
    return "\n".join(section_notes(section_of(rows)))


def of_subjects(rows: list[AggregatedRow], count: int) -> list[AggregatedRow]:
    """The rows as if they had tested so many subjects, all in one fold."""
    accuracies = (1.0, 0.0)
    made = []
    for one, accuracy in zip(rows, accuracies, strict=True):
        images = paired_images(concatenate([fake_predictions(accuracy, 0, subjects=count)]))
        made.append(dataclasses.replace(one, images=images))
    return made


def test_a_method_is_never_compared_with_itself_under_another_seed(seeds: list[AggregatedRow]) -> None:
    notes = notes_of(seeds)
    assert notes.count(" minus ") == 1
    assert "FMPN (resnet18) minus CNN (baseline) (resnet18): +" in notes
    for form in FORMATS:
        text = render(build_table(seeds), form)
        assert not re.search(r"FMPN[^.]*minus FMPN", text), form


def test_one_seed_stands_beside_every_interval_and_p_value(single: list[AggregatedRow]) -> None:
    assert re.search(r"p = [\d.e-]+; one seed; ", notes_of(single))
    for form in READ:
        table = text_table(section_of(single), form)
        for heading, column in zip(table.header, table.columns, strict=True):
            assert ("one seed" in heading.replace("\n", " ")) == column.of_one_seed, (form, column.key)
        assert {"difference", "pooled_image_interval"} <= {
            one.key for one in table.columns if one.of_one_seed
        }


def test_beside_lines_of_several_seeds_the_cells_say_so(
    seeds: list[AggregatedRow], single: list[AggregatedRow]
) -> None:
    alone = dataclasses.replace(single[1], row=dataclasses.replace(single[1].row, title="Other", method="x"))
    section = section_of([*seeds, alone])
    for form in READ:
        table = text_table(section, form)
        assert not any("one seed" in heading for heading in table.header)
        places = [place for place, column in enumerate(table.columns) if column.of_one_seed]
        for place in places:
            cells = [line.cells[place].replace("\n", " ") for line in table.lines]
            assert "one seed" in cells[-1], (form, table.columns[place].key)
            assert "one seed" not in cells[0]


def test_lines_of_several_seeds_name_them_and_their_parts_show_each(seeds: list[AggregatedRow]) -> None:
    table = build_table(seeds)
    assert "; 3 seeds (0, 1, 2); " in notes_of(seeds)
    lines = text_table(table.sections[0], "screen").lines
    assert len(lines) == 2
    assert lines[0].cells[0].replace("\n", " ") == "FMPN, 3 seeds (0, 1, 2)"
    assert "3/3/1" in lines[0].cells
    for form in ("screen", "markdown", "latex"):
        text = render(table, form, ["seeds"])
        assert text.count("seed 2,") == 2, form
        assert "mean of 3 seeds" in text
    assert len(render(table, "csv", ["seeds"]).splitlines()) == 1 + 6
    assert "Each training seed" not in render(build_table(seeds[:1]), "screen", ["seeds"])


def test_seeds_in_common_are_named(seeds: list[AggregatedRow]) -> None:
    (found,) = section_of([*seeds[:3], *seeds[4:]]).comparisons.to_reference
    assert paired_seeds_text(found) == "2 seeds in common (1, 2)"
    (found,) = section_of([*seeds[:3], seeds[5]]).comparisons.to_reference
    assert paired_seeds_text(found) == "one seed in common (2)"
    (found,) = section_of([seeds[0], seeds[5]]).comparisons.to_reference
    assert paired_seeds_text(found) == "one seed, 0 against 2"


def test_an_incomplete_seed_is_named_and_its_line_is_not_compared(seeds: list[AggregatedRow]) -> None:
    lacking = dataclasses.replace(seeds[2].row, problems={1: "is missing"})
    rows = [*seeds[:2], dataclasses.replace(seeds[2], row=lacking), *seeds[3:]]
    notes = notes_of(rows)
    assert (
        "INCOMPLETE. FMPN (resnet18), seed 2: fold 1 is missing. Means over seeds are of the complete seeds "
        "only. Complete with" in notes
    )
    assert " minus " not in notes
    for form in ("markdown", "latex"):
        assert "FMPN (INCOMPLETE: seed 2)" in render(build_table(rows), form)
    assert "/2 of 3/" in render(build_table(rows), "screen")


@pytest.mark.parametrize(
    ("subjects", "said"),
    [
        (1, "with one subject it cannot be tested."),
        (4, "Only 4 subjects differ, so no p value below 0.125 is possible."),
        (14, "With 14 subjects and one seed, true differences below"),
    ],
)
def test_few_subjects_come_with_what_they_cannot_show(
    single: list[AggregatedRow], subjects: int, said: str
) -> None:
    notes = notes_of(of_subjects(single, subjects))
    assert notes.count(said) == 1
    assert notes.count("a large p value is no sign that the methods are equal.") == (subjects > 1)
    assert "p = 1.000" not in notes


def test_many_subjects_need_no_such_warning(single: list[AggregatedRow]) -> None:
    assert "large p value" not in notes_of(of_subjects(single, 15))


def test_where_p_value_and_interval_disagree_it_is_said(single: list[AggregatedRow]) -> None:
    section = section_of(single)
    (found,) = section.comparisons.to_reference
    assert found.found.p_value is not None
    assert found.found.p_value < 0.05
    assert "disagree" not in difference_note(section, found)
    around_zero = dataclasses.replace(found.found, interval=Interval(low=-0.01, high=0.3))
    assert "interval disagree" in difference_note(section, dataclasses.replace(found, found=around_zero))


def test_the_smallest_difference_that_would_be_found_is_stated(single: list[AggregatedRow]) -> None:
    (found,) = section_of(single).comparisons.to_reference
    assert found.detectable is not None
    assert (
        f"With 9 subjects and one seed, true differences below {100 * found.detectable:.1f} points would be "
        "missed in more than one of five such comparisons" in notes_of(single)
    )
    assert "no difference could be found reliably" in notes_of(of_subjects(single, 4))


def test_probabilities_of_a_difference_of_practical_size_are_stated(single: list[AggregatedRow]) -> None:
    said = r"P\(better\) 0\.9\d, P\(equivalent\) 0\.\d\d, P\(worse\) 0\.0\d\."
    assert re.search(said, notes_of(single))


def test_lines_on_other_images_are_named(single: list[AggregatedRow], tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    fewer = aggregate_experiment(
        store, write_experiment(store, [write_row(store, "cnn", "Fewer", folds=2)], name="b")
    )
    assert "Not compared with CNN (baseline) (resnet18) (tested other images): Fewer (resnet18)." in notes_of(
        [*single, *fewer]
    )
