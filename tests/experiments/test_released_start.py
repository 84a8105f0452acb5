"""A released checkpoint starts no fold run that tests subjects it has seen, nor one of other classes."""

from __future__ import annotations

import pytest

from platform.errors import UserError
from platform.experiments.released_start import check_released_start
from platform.runs.tasks import DataReference

SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
SEVEN = ("anger", "contempt", *SIX[1:])


def data(dataset: str, names: tuple[str, ...], stands_for: str = "") -> DataReference:
    return DataReference(folder="/data", dataset=dataset, hash="0", class_names=names, stands_for=stands_for)


@pytest.mark.parametrize(
    ("reference", "folds_only"),
    [
        (data("synthetic", SEVEN), ()),
        (data("affectnet", SEVEN), ()),
        (data("ckplus", SEVEN), (3,)),
        (data("mmi", SIX), (0,)),
        (data("fmpn_release", SEVEN, "ckplus"), (0,)),
        (data("fmpn_release", SIX, "mmi"), (0,)),
    ],
)
def test_other_people_and_one_declared_fold_may_start(
    reference: DataReference, folds_only: tuple[int, ...]
) -> None:
    check_released_start([reference], folds_only)


@pytest.mark.parametrize("folds_only", [(), (0, 1)])
@pytest.mark.parametrize(
    "reference",
    [
        data("ckplus", SEVEN),
        data("mmi", SIX),
        data("fmpn_release", SEVEN, "ckplus"),
        data("ckplus+oulu_casia", SEVEN),
    ],
)
def test_people_that_it_has_seen_are_refused(reference: DataReference, folds_only: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"has seen people of .*--folds-only K\), or pass another --dataset"):
        check_released_start([data("synthetic", SEVEN), reference], folds_only)


@pytest.mark.parametrize(
    ("reference", "folds_only"),
    [(data("oulu_casia", SIX), ()), (data("mmi", SIX[1:]), (0,)), (data("ckplus", SIX), (0,))],
)
def test_other_classes_are_refused_by_name(reference: DataReference, folds_only: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=rf"but the labels of {reference.dataset} are .*surprise; pass"):
        check_released_start([reference], folds_only)
