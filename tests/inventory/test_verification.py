from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform.errors import UserError
from platform.evaluation.predictions import to_bytes
from platform.files.stored_zip import stored_zip
from platform.inventory import verification
from platform.inventory.bundle import bundle_of, hashes
from platform.inventory.verification import verify_bundle
from platform.runs.identity import canonical_json
from tests.fake_runs import fake_predictions, write_experiment, write_fold_run
from tests.inventory.known_runs import row_of, two_experiments

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Of a bundle of `first`."""
    store = two_experiments(tmp_path_factory.mktemp("runs"))
    with zipfile.ZipFile(io.BytesIO(bundle_of(store, "first"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def changed(files: Files, tmp_path: Path) -> Callable[..., Path]:
    """A bundle of these files, the hashes of which are written again if `hashed`."""

    def write(changes: dict[str, bytes | None], *, hashed: bool = False) -> Path:
        content = {name: value for name, value in {**files, **changes}.items() if value is not None}
        if hashed:
            stated = json.loads(content.pop("bundle.json"))
            content["bundle.json"] = json.dumps({**stated, "sha256": hashes(content)}).encode()
        (tmp_path / "x.zip").write_bytes(stored_zip(content))
        return tmp_path / "x.zip"

    return write


def of_kind(files: Files, ending: str) -> str:
    return next(name for name in files if name.endswith(ending))


def with_manifest(files: Files, run: str, **contents: bytes) -> dict[str, bytes]:
    """Files of a fold run and a manifest with their hashes, as a forger would write it."""
    manifest = json.loads(files[f"{run}/manifest.json"])
    del manifest["hash"]
    named = {name.replace("_", "."): content for name, content in contents.items()}
    manifest["sha256"] |= {name: hashlib.sha256(content).hexdigest() for name, content in named.items()}
    manifest["hash"] = hashlib.sha256(canonical_json(manifest).encode()).hexdigest()
    return {
        **{f"{run}/{name}": content for name, content in named.items()},
        f"{run}/manifest.json": json.dumps(manifest).encode(),
    }


def test_a_bundle_as_made_is_right_and_its_table_is_recomputed(changed: Callable[..., Path]) -> None:
    path = changed({})
    found = verify_bundle(path)
    assert (found.experiment, found.fold_runs, found.predictions) == ("first", 3, 189)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.table.sections[0].rows[0].scores is not None


def test_a_search_is_verified_with_the_score_that_chose(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    inner = write_fold_run(store, fake_predictions(0.7, 0), role="inner")
    score = float(fake_predictions(0.7, 0).correct.mean())
    trial = {"number": 1, "params": {}, "score": score, "runs": [{"fold": 0, "identity": inner}]}
    row = row_of(
        [{"fold": 0, "identity": write_fold_run(store, fake_predictions(0.7, 0))}], selection_score=score
    )
    write_experiment(store, [row], name="searched", studies=[{"name": "s", "winner": 1, "trials": [trial]}])
    (tmp_path / "x.zip").write_bytes(bundle_of(store, "searched"))
    assert verify_bundle(tmp_path / "x.zip").fold_runs == 2


def test_every_changed_missing_or_added_file_is_named(changed: Callable[..., Path], files: Files) -> None:
    predictions, record = of_kind(files, "predictions.parquet"), of_kind(files, "record.json")
    for changes, said in (
        ({predictions: files[predictions] + b"x"}, f"{predictions} was changed"),
        ({record: None}, f"{record} is missing"),
        ({"experiments/first/more.yaml": b""}, "experiments/first/more.yaml was added"),
        ({"table.txt": b""}, "table.txt was changed"),
    ):
        with pytest.raises(UserError, match=rf"x\.zip was changed after it was made: {said}\. Get"):
            verify_bundle(changed(changes))


def test_a_flipped_byte_in_the_file_is_found(changed: Callable[..., Path], files: Files) -> None:
    path = changed({})
    content = bytearray(path.read_bytes())
    name = of_kind(files, "record.json")
    content[content.index(files[name]) + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{name} was changed"):
        verify_bundle(path)


def test_better_predictions_with_right_hashes_do_not_give_the_stated_table(
    changed: Callable[..., Path], files: Files
) -> None:
    run = of_kind(files, "predictions.parquet").rpartition("/")[0]
    fold = json.loads(files[f"{run}/record.json"])["fold"]["index"]
    better = to_bytes(fake_predictions(1.0, fold, seed=1))
    forged = with_manifest(files, run, predictions_parquet=better)
    with pytest.raises(UserError, match=r"its table states \w+ .* for FMPN on synthetic, its predictions"):
        verify_bundle(changed(forged, hashed=True))


def test_a_better_table_does_not_follow_from_the_predictions(
    changed: Callable[..., Path], files: Files
) -> None:
    table = json.loads(files["table.json"])
    table["sections"][0]["rows"][0]["pooled_image_accuracy"] = 0.99
    path = changed({"table.json": json.dumps(table).encode()}, hashed=True)
    with pytest.raises(UserError, match=r"its table states pooled_image_accuracy 0\.99 for FMPN"):
        verify_bundle(path)


def test_a_record_of_another_identity_is_found(changed: Callable[..., Path], files: Files) -> None:
    run = of_kind(files, "record.json").rpartition("/")[0]
    record = {**json.loads(files[f"{run}/record.json"]), "seed": 7}
    forged = with_manifest(files, run, record_json=canonical_json(record).encode())
    with pytest.raises(UserError, match="has another identity"):
        verify_bundle(changed(forged, hashed=True))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bundle.json", None, "has no bundle.json"),
        ("bundle.json", b"[]", "is no JSON object"),
        ("bundle.json", b"{}", "of another kind"),
        ("bundle.json", b"{", "not valid JSON"),
        (
            "bundle.json",
            b'{"format": "experiment-bundle", "version": 9, "experiment": "x", "sha256": {}}',
            "version 9",
        ),
    ],
)
def test_what_is_no_bundle_is_refused(
    changed: Callable[..., Path], name: str, content: bytes | None, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        verify_bundle(changed({name: content}))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.json", b"{}"),
        ("table.json", b'{"sections": [{"rows": [1]}]}'),
        ("experiments/first/experiment.json", b"{}"),
        ("experiments/first/experiment.json", None),
    ],
)
def test_contents_of_another_form_are_refused(
    changed: Callable[..., Path], name: str, content: bytes | None
) -> None:
    with pytest.raises(UserError):
        verify_bundle(changed({name: content}, hashed=True))


def test_rows_that_no_experiment_of_ours_has_are_refused(changed: Callable[..., Path], files: Files) -> None:
    experiment: dict[str, Any] = json.loads(files["experiments/first/experiment.json"])
    experiment["rows"][0]["fold_count"] = []
    path = changed({"experiments/first/experiment.json": json.dumps(experiment).encode()}, hashed=True)
    with pytest.raises(UserError, match="cannot be computed"):
        verify_bundle(path)


def test_predictions_that_would_fill_the_memory_are_refused(
    changed: Callable[..., Path], files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MOST_PREDICTIONS", 1000)
    run = of_kind(files, "predictions.parquet").rpartition("/")[0]
    sink = io.BytesIO()
    pq.write_table(pa.table({"image": pa.array(["x"] * 1001)}), sink)
    forged = with_manifest(files, run, predictions_parquet=sink.getvalue())
    with pytest.raises(UserError, match="have 1,001 lines"):
        verify_bundle(changed(forged, hashed=True))


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        verify_bundle(tmp_path / "nothing.zip")
