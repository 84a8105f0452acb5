"""What experiment.json says of a row's subjects and scores, which the table reads."""

from __future__ import annotations

from pathlib import Path

from datasets.prepared.preparation import prepare_dataset
from datasets.synthetic.layouts import bu3dfe as layout
from platform.config.configuration import Plan, configuration_of
from platform.experiments.rows import row_of
from platform.runs.fold_tasks import plan_data
from tests.every_method import registered, smallest
from tests.layout_trees import set_parameters, write_layout
from tests.runs.known_tasks import made_up_data
from tests.tiny_faces import tiny_configuration

PLAN = Plan(folds=2)


def test_the_groups_of_a_set_are_stored_with_its_rows(tmp_path: Path) -> None:
    raw = write_layout(layout, tmp_path / "raw", set_parameters(4, frames=5))
    configuration = tiny_configuration()
    prepare_dataset("bu3dfe", configuration.load_size_pixels, data_root=tmp_path, source=raw, aligned=True)
    planned = plan_data(tmp_path, "bu3dfe", configuration, PLAN)
    assert row_of(configuration, planned, PLAN).describe("paper")["groups"] == {
        "ancestry": {"AE": ["F0002"], "BL": ["M0001"], "IN": ["M0002"], "WH": ["F0001"]},
        "sex": {"female": ["F0001", "F0002"], "male": ["M0001", "M0002"]},
    }


def test_a_set_without_groups_and_a_method_with_probabilities_add_no_key() -> None:
    row = row_of(configuration_of("cnn"), made_up_data("ckplus", PLAN), PLAN)
    assert not {"groups", "probabilities"} & row.describe("paper").keys()


def test_a_method_without_probabilities_says_so() -> None:
    with registered():
        data = made_up_data("synthetic", PLAN)
        row = row_of(smallest("pixel_svm"), data, PLAN)
        assert row.describe("paper")["probabilities"] is False
