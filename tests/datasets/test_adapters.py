"""One conformance suite over all adapters: each reads what its layout writer wrote, by the same rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datasets.alignment.similarity import five_points_from_68, residual
from datasets.catalogue import (
    ADAPTERS,
    dense_landmarks,
    has_dense_landmarks,
    load_adapter,
    recognisable_names,
)
from datasets.inspection import check_looks_right, inspect_folder, layouts_of, read_leniently
from datasets.prepared.layer_frames import LayerSources
from datasets.prepared.layer_preparation import prepare_layers
from datasets.prepared.preparation import prepare_dataset
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import BadItems, Choices
from datasets.records import EXPRESSIONS, FrameRecord
from datasets.synthetic.layouts import LAYOUTS, load_layout
from platform.errors import UserError
from tests.layout_trees import FRAMES, SUBJECTS, contents, set_parameters, write_layout

LAYOUT_NAMES = sorted(LAYOUTS)


@pytest.fixture(params=LAYOUT_NAMES)
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dataset(layout: str) -> str:
    """The data set whose adapter reads the layout."""
    return load_layout(layout).DATASET


@pytest.fixture
def tree(drawn_layouts: dict[str, Path], layout: str) -> Path:
    return drawn_layouts[layout]


@pytest.fixture
def records(dataset: str, tree: Path) -> list[FrameRecord]:
    return load_adapter(dataset).read_records(tree)


def test_every_licensed_data_set_has_a_layout_to_be_tested_on() -> None:
    read = {load_layout(name).DATASET for name in LAYOUTS}
    licensed = {name for name in ADAPTERS if not load_adapter(name).DATASET.embedded}
    assert licensed - read == {"folder"}  # the user's own tree has a test file of its own
    assert set(recognisable_names()) == licensed  # each recognises its layout


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_a_description_says_what_a_user_needs(name: str) -> None:
    description = load_adapter(name).DATASET
    assert description.name == name
    assert description.title
    assert description.request_from.endswith(".")
    assert description.alignment_flag in ("", "--aligned", "--landmarks detect")


def test_records_are_well_formed(records: list[FrameRecord], tree: Path) -> None:
    assert len({record.image_name for record in records}) == len(records)
    for record in records:
        assert record.expression in EXPRESSIONS
        assert (record.expression == "neutral") == (record.role == "neutral")
        assert record.role in ("expressive", "neutral")
        assert not Path(record.source).is_absolute()
        assert (tree / record.source).is_file()
        if record.landmarks is not None:
            assert (record.landmarks.shape, record.landmarks.dtype) == ((5, 2), np.float64)
            assert residual(record.landmarks) < 0.1


def test_the_classes_are_the_data_sets_and_nobody_has_two_neutral_faces(
    records: list[FrameRecord], dataset: str
) -> None:
    shown = {record.expression for record in records if record.role == "expressive"}
    with_contempt = {"ckplus", "affectnet", "fmpn_release"}
    expected = set(EXPRESSIONS) - {"neutral"} - (set() if dataset in with_contempt else {"contempt"})
    assert shown == expected
    neutral = Counter(record.subject_id for record in records if record.role == "neutral")
    assert all(count == 1 for count in neutral.values())
    if dataset != "affectnet":  # strangers, each seen once
        assert set(neutral) == {record.subject_id for record in records}
        assert len(neutral) == SUBJECTS


def test_reading_twice_gives_the_same_and_writes_nothing(
    dataset: str, tree: Path, records: list[FrameRecord]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    again = load_adapter(dataset).read_records(tree)
    assert [one.image_name for one in again] == [one.image_name for one in records]
    assert [one.source for one in again] == [one.source for one in records]
    for record in records[:4]:
        frame = load_adapter(dataset).read_frame(tree, record)
        assert frame.dtype == np.uint8
        assert frame.ndim == 3
        assert frame.shape[2] == 3
        np.testing.assert_array_equal(frame, load_adapter(dataset).read_frame(tree, record))
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


def test_strict_and_lenient_reading_agree_where_nothing_is_bad(
    dataset: str, tree: Path, records: list[FrameRecord]
) -> None:
    lenient, bad = read_leniently(dataset, tree)
    assert [one.image_name for one in lenient] == [one.image_name for one in records]
    assert bad.left_out == []


def test_exactly_the_listed_frames_are_taken(dataset: str, tree: Path, records: list[FrameRecord]) -> None:
    wanted = [record for record in records if record.role == "expressive"][::2]
    keys = frozenset((record.sequence_id, record.frame) for record in wanted)
    taken = load_adapter(dataset).read_records(tree, Choices(frames=keys))
    assert {(one.sequence_id, one.frame) for one in taken if one.role == "expressive"} == keys
    with pytest.raises(UserError, match=r"1 of the .* listed frames"):
        load_adapter(dataset).read_records(tree, Choices(frames=keys | {("S999_999", 7)}))


def test_whole_sequences_add_context_or_are_refused(
    dataset: str, tree: Path, records: list[FrameRecord]
) -> None:
    choices = Choices(whole_sequences=True)
    if dataset in ("affectnet", "bu3dfe"):
        with pytest.raises(UserError, match="--whole-sequences has no meaning for"):
            load_adapter(dataset).read_records(tree, choices)
        return
    whole = load_adapter(dataset).read_records(tree, choices)
    assert {one.image_name for one in records} <= {one.image_name for one in whole}
    scored = [one.image_name for one in whole if one.role == "expressive"]
    assert scored == [one.image_name for one in records if one.role == "expressive"]
    if dataset != "fmpn_release":  # a release holds few frames beside the listed ones
        assert any(one.role == "context" for one in whole)


def test_frames_stand_in_order_from_neutral_to_the_peak_or_the_set_says_why_it_has_none(
    dataset: str, tree: Path, records: list[FrameRecord], tmp_path: Path
) -> None:
    description = load_adapter(dataset).DATASET
    store = _prepared(dataset, tree, tmp_path)
    if description.no_sequences:
        with pytest.raises(UserError, match=description.no_sequences):
            prepare_layers(store, ["sequences"], LayerSources(source=tree))
        return
    prepare_layers(store, ["sequences"], LayerSources(source=tree))
    layer = store.layer("sequences")
    whole = load_adapter(dataset).read_records(tree, Choices(whole_sequences=True))
    assert len(layer.frames) == len(whole)
    assert set(layer.names.tolist()) == {one.sequence_id for one in records}
    expressive = {(one.sequence_id, one.frame) for one in records if one.role == "expressive"}
    first = {one.sequence_id: one.frame for one in records if one.role == "neutral"}
    for item, name in enumerate(layer.names.tolist()):
        start, length, apex = int(layer.first[item]), int(layer.lengths[item]), int(layer.apexes[item])
        numbers = layer.frame_numbers[start : start + length].tolist()
        assert numbers == sorted(numbers)
        assert numbers == list(range(numbers[0], numbers[0] + length))
        assert numbers[0] == first.get(name, numbers[0])  # the neutral face is a first frame
        assert (name, numbers[apex]) in expressive
        assert apex == {"to_apex": length - 1, "there_and_back": length // 2}[description.course]
        assert layer.expressions[item] in store.class_names
    rows = {name: row for row, name in enumerate(store.image_names.tolist())}
    frame = rows[f"{layer.names[0]}_{layer.frame_numbers[int(layer.apexes[0])]:08d}"]
    np.testing.assert_array_equal(layer.read(0)[int(layer.apexes[0])], store.images[frame])


def test_a_set_with_dense_landmarks_gives_them_for_every_image(
    dataset: str, tree: Path, records: list[FrameRecord]
) -> None:
    if not has_dense_landmarks(dataset):
        assert dataset in ("bu3dfe", "fmpn_release", "mmi", "oulu_casia")
        return
    for record in records[::7]:
        points = dense_landmarks(dataset, tree, record)
        assert points is not None
        assert points.shape == (68, 2)
        np.testing.assert_allclose(five_points_from_68(points), record.landmarks)


def test_the_layout_is_recognised_and_no_other_is(layout: str, dataset: str, tree: Path) -> None:
    assert layouts_of(tree) == [dataset]
    assert inspect_folder(tree).looks_like == [dataset]
    check_looks_right(dataset, tree)
    for other in recognisable_names():
        if other != dataset:
            with pytest.raises(UserError, match=f"it looks like .*--dataset {dataset}"):
                check_looks_right(other, tree)


def test_an_empty_and_a_missing_folder_are_named(dataset: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, fault in (("empty", "is empty"), ("nowhere", "does not exist")):
        with pytest.raises(UserError, match=f"{folder} {fault}"):
            load_adapter(dataset).read_records(tmp_path / folder)


def test_an_unlike_folder_says_what_was_expected(dataset: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match=r"layout|laid out") as caught:
        load_adapter(dataset).read_records(tmp_path)
    assert str(tmp_path) in str(caught.value)


def _prepared(dataset: str, tree: Path, data_root: Path, workers: int = 1) -> PreparedStore:
    aligned = dataset in ("mmi", "oulu_casia", "bu3dfe", "fmpn_release")
    return prepare_dataset(dataset, 24, data_root=data_root, source=tree, aligned=aligned, workers=workers)


def test_every_layout_can_be_prepared_and_twice_gives_the_same_bytes(
    dataset: str, tree: Path, records: list[FrameRecord], tmp_path: Path
) -> None:
    first = _prepared(dataset, tree, tmp_path / "first")
    second = _prepared(dataset, tree, tmp_path / "second")
    assert contents(first.folder) == contents(second.folder)
    assert len(first.images) == len(records)
    assert (first.roles == "expressive").sum() == sum(one.role == "expressive" for one in records)


def test_a_bad_image_is_left_out_and_listed_or_stops_everything(
    dataset: str, layout: str, records: list[FrameRecord], tmp_path: Path
) -> None:
    tree = write_layout(load_layout(layout), tmp_path / "tree", set_parameters(SUBJECTS, FRAMES))
    victim = next(one for one in reversed(records) if one.role == "expressive")
    (tree / victim.source).write_bytes(b"")
    with pytest.raises(UserError, match=Path(victim.source).name):
        _prepared(dataset, tree, tmp_path / "strict")
    assert not (tmp_path / "strict" / "prepared").exists() or not list((tmp_path / "strict").rglob("*.npy"))
    aligned = dataset in ("mmi", "oulu_casia", "bu3dfe", "fmpn_release")
    store = prepare_dataset(
        dataset, 24, data_root=tmp_path / "lenient", source=tree, aligned=aligned, skip_bad=True
    )
    lost = sum(one.source == victim.source for one in records)  # a clip holds several frames
    assert len(store.images) == len(records) - lost
    assert victim.image_name not in store.image_names


def test_bad_items_are_named_without_the_place_of_the_data_set(tmp_path: Path) -> None:
    bad = BadItems(skip=True, root=tmp_path)
    with bad.guard("one.png"):
        raise UserError(f"{tmp_path}/one.png is empty")
    assert bad.left_out == [("one.png", "one.png is empty")]
