from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from platform.reports import figures
from tests.fake_runs import CLASSES, fake_study

CURVE = [{"epoch": e, "loss": 1 / e, "training_accuracy": 0.5, "images_per_second": 100.0} for e in (1, 2, 3)]


def test_masks_are_drawn_with_their_class_over_the_full_range() -> None:
    masks = np.arange(7 * 16, dtype=np.uint8).reshape(7, 4, 4)
    figure = figures.mask_figure(masks, CLASSES)
    assert [axes.get_title() for axes in figure.axes] == list(CLASSES)
    for axes, mask in zip(figure.axes, masks, strict=True):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), mask)
        assert axes.images[0].get_clim() == (0, 255)


def test_contact_sheet_puts_each_face_at_its_subject_and_expression() -> None:
    images = np.zeros((4, 2, 2, 3), dtype=np.uint8) + np.arange(4, dtype=np.uint8)[:, None, None, None]
    figure = figures.contact_sheet(images, ["B", "A", "A", "A"], ["fear", "fear", "anger", "anger"])
    drawn = [int(np.asarray(a.images[0].get_array()).max()) if a.images else None for a in figure.axes]
    # Rows A, B; columns anger, fear: the first image of each, and a gap for B's missing anger.
    assert drawn == [2, 1, None, 0]
    assert [axes.get_ylabel() for axes in figure.axes] == ["A", "", "B", ""]


def test_contact_sheet_shows_only_so_many_subjects() -> None:
    images = np.zeros((9, 2, 2, 3), dtype=np.uint8)
    figure = figures.contact_sheet(images, list("ABCDEFGHI"), ["fear"] * 9, most_subjects=4)
    assert [axes.get_ylabel() for axes in figure.axes] == list("ABCD")


def test_curves_have_a_panel_a_measure_and_thick_means() -> None:
    higher = [{**values, "loss": values["loss"] + 2} for values in CURVE]
    figure = figures.curves_figure({"FMPN": [CURVE, higher], "CNN": [CURVE]}, "Stage 2")
    assert [axes.get_title() for axes in figure.axes] == ["training loss", "training accuracy"]
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() > 2]
    np.testing.assert_allclose(thick[0].get_ydata(), [2, 1.5, 1 / 3 + 1])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["FMPN", "CNN"]


def test_curves_of_several_players_have_a_panel_a_player() -> None:
    curve = [
        {"epoch": e, "judge_loss": 1 / e, "maker_loss": 2 / e, "maker_gradient_norm": 1.0} for e in (1, 2)
    ]
    figure = figures.curves_figure({"GAN": [curve]}, "Stage gan")
    assert [axes.get_title() for axes in figure.axes] == ["judge loss", "maker loss"]


def test_curves_without_a_known_measure_are_refused() -> None:
    with pytest.raises(ValueError, match="loss"):
        figures.curves_figure({"FMPN": [[{"epoch": 1, "speed": 3}]]}, "Stage 2")


def test_study_shows_every_trial_and_the_best_finished_so_far() -> None:
    figure = figures.study_figure(fake_study()["trials"], "inner accuracy")
    axes = figure.axes[0]
    assert len(axes.collections) == 6
    (best,) = (line for line in axes.lines if line.get_drawstyle() == "steps-post")
    np.testing.assert_allclose(best.get_ydata(), [41, 53, 53, 57])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "inception_v3", "resnet18", "vgg16_bn", "finished", "pruned", "failed", "best so far",
    ]  # fmt: skip


def test_a_study_in_which_all_trials_failed_is_drawn() -> None:
    trials = [{**trial, "state": "FAIL", "score": None} for trial in fake_study()["trials"]]
    assert len(figures.study_figure(trials, "inner accuracy").axes[0].collections) == 6


def test_files_are_png_of_900_pixels_and_repeat_byte_for_byte(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("one", "two"):
        figure = figures.mask_figure(np.zeros((7, 4, 4), dtype=np.uint8), CLASSES)
        figures.save_figure(figure, tmp_path / "figures" / f"{name}.png")
    paths = sorted((tmp_path / "figures").iterdir())
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as image:
        assert (image.format, image.width) == ("PNG", 900)
