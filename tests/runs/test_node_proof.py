from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasets.prepared.store import store_folder
from platform.config.configuration import Plan
from platform.files import late
from platform.host.gpus import Gpu, GpusThere
from platform.runs import node_proof
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import final_tasks, plan_data
from platform.runs.node_proof import (
    CLOCK_SECONDS,
    FOLDER,
    Expected,
    NodeFacts,
    Store,
    UnfitNode,
    expected_of_nodes,
    lacking,
    libraries_here,
    node_facts,
    stores_of,
    token_read_back,
)
from platform.runs.planned_tasks import Machine
from tests.tiny_faces import SIZE, prepare_tiny, tiny_configuration
from tests.tiny_sequences import prepare_tiny_sequences

NODE = "0123abcd"


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=4)
    return root


@pytest.fixture
def expected(tmp_path: Path, data_root: Path) -> Expected:
    """Of a driver on this machine whose token is written."""
    folder = driver_folder(tmp_path / "runs" / "experiments" / "one")
    made = expected_of_nodes(folder, tmp_path / "runs", on_gpus=False)
    return replace(made, stores=stores(data_root))


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late, "PAUSES_SECONDS", (0.0,))


def stores(data_root: Path, count: int = 2) -> tuple[Store, ...]:
    configuration = tiny_configuration()
    planned = plan_data(data_root, "synthetic", configuration, Plan(folds=2, rounds=(1, 1)))
    return stores_of(final_tasks(configuration, planned, Machine())[:count])


def test_this_machine_has_what_it_expects(expected: Expected) -> None:
    facts = node_facts(pickle.loads(pickle.dumps(expected)), NODE)
    assert lacking(expected, facts, asked_at=facts.clock - 1, answered_at=facts.clock + 1) == []
    assert token_read_back(expected, NODE) == ""


def test_every_prepared_set_of_the_tasks_counts_once(data_root: Path) -> None:
    (one,) = stores(data_root)
    assert Path(one.folder) == store_folder(data_root, "synthetic", SIZE).absolute()
    assert len(one.hash) == 64


def lacks(expected: Expected) -> list[str]:
    return lacking(expected, node_facts(expected, NODE))


def only(found: list[str]) -> str:
    (sentence,) = found
    return sentence


def test_other_code_is_named_first(expected: Expected) -> None:
    facts = replace(node_facts(expected, NODE), code="f" * 64)
    assert only(lacking(expected, facts)).startswith(
        "its code is not the dispatcher's (hash ffffffffffff, not "
    )


def test_libraries_are_named_with_both_versions(expected: Expected) -> None:
    has = {**libraries_here(), "torch": "1.0", "optuna": ""}
    sentence = only(lacking(expected, replace(node_facts(expected, NODE), libraries=has)))
    assert f"torch 1.0, not {libraries_here()['torch']}; optuna is missing, not" in sentence
    assert sentence.endswith("install requirements.lock there.")


def test_builds_for_gpus_and_without_are_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_proof, "version", lambda name: "2.13.0+cu130")
    assert libraries_here()["torch"] == "2.13.0"


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (1000.0 - CLOCK_SECONDS, None),
        (1030.0 + CLOCK_SECONDS, None),
        (1000.0 - 3600.0, "3599 s behind the dispatcher's"),
        (1030.0 + 3600.0, "3599 s ahead of the dispatcher's"),
    ],
)
def test_a_clock_may_differ_by_minutes_beyond_the_time_of_the_answer(
    clock: float, words: str | None, expected: Expected
) -> None:
    facts = replace(node_facts(expected, NODE), clock=clock)
    found = lacking(expected, facts, asked_at=1000.0, answered_at=1030.0)
    assert found == [] if words is None else words in only(found)


def test_a_prepared_set_that_is_missing_or_another_one_is_named(
    expected: Expected, data_root: Path, tmp_path: Path
) -> None:
    here = store_folder(data_root, "synthetic", SIZE)
    away = replace(expected, stores=(replace(expected.stores[0], folder=str(tmp_path / "not-mounted")),))
    sentence = only(lacks(away))
    assert f"there is no prepared store at {tmp_path / 'not-mounted'}" in sentence
    assert sentence.endswith("or mount --data-root there.")
    other = replace(expected, stores=(replace(expected.stores[0], hash="e" * 64),))
    assert f"the prepared set {here} there has other contents" in only(lacks(other))
    cut = tmp_path / "prepared" / here.name
    shutil.copytree(here, cut)
    with (cut / "images.npy").open("r+b") as file:
        file.truncate(1000)
    short = replace(expected, stores=(replace(expected.stores[0], folder=str(cut)),))
    assert f"{cut / 'images.npy'} is missing or damaged" in only(lacks(short))


def test_layers_are_part_of_the_proof(expected: Expected, tmp_path: Path) -> None:
    prepare_tiny_sequences(tmp_path, subjects=4)
    folder = store_folder(tmp_path, "synthetic", SIZE)
    from datasets.prepared.layer_files import read_layer_manifest
    from datasets.prepared.store_files import read_manifest

    layer = read_layer_manifest(folder, "sequences")["hash"]
    store = Store(folder=str(folder), hash=read_manifest(folder)["hash"], layers=(("sequences", layer),))
    assert lacks(replace(expected, stores=(store,))) == []
    other = replace(store, layers=(("sequences", "e" * 64),))
    assert "the layer sequences of" in only(lacks(replace(expected, stores=(other,))))
    shutil.rmtree(folder / "layers")
    assert "lacks the layer 'sequences'" in only(lacks(replace(expected, stores=(store,))))


def test_a_runs_folder_of_the_nodes_own_is_named(expected: Expected) -> None:
    runs = Path(expected.runs_root)
    token = Path(expected.folder) / FOLDER / "token"
    token.write_text("8" * 32)
    assert f"the runs folder {runs} is another folder there" in node_facts(expected, NODE).runs
    token.unlink()
    assert f"the runs folder {runs} is another folder there" in only(lacks(expected))
    shutil.rmtree(runs)
    assert f"the runs folder {runs} is not there" in node_facts(expected, NODE).runs


def test_what_a_node_writes_must_arrive(expected: Expected) -> None:
    folder = Path(expected.folder) / FOLDER
    assert f"what it writes to {folder} does not arrive" in token_read_back(expected, NODE)
    (folder / NODE).mkdir()
    assert f"nothing can be written to {folder} there (Is a directory)" in node_facts(expected, NODE).runs


def gpus(count: int, why: str = "") -> GpusThere:
    some = [Gpu(index=i, name="NVIDIA A10G", total_bytes=24 * 2**30, free_bytes=0) for i in range(count)]
    return GpusThere(gpus=tuple(some), why_none=why)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (None, None),
        (gpus(4), None),
        (
            gpus(0, "the driver of the GPU does not answer"),
            "torch cannot use its GPUs: the driver of the GPU",
        ),
        (gpus(2), "Ray offers 4 GPUs there, but torch sees 2 (2 x NVIDIA A10G (24.0 GiB each))"),
    ],
)
def test_torch_must_see_the_gpus_that_ray_offers(
    there: GpusThere | None, words: str | None, expected: Expected
) -> None:
    found = lacking(expected, replace(node_facts(expected, NODE), gpus=there), gpus_offered=4.0)
    assert found == [] if words is None else words in only(found)


def test_gpus_are_asked_only_where_runs_hold_some(
    expected: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_proof, "gpus_here", lambda: gpus(1))
    assert node_facts(expected, NODE, offers_gpus=True).gpus is None
    on_gpus = replace(expected, on_gpus=True)
    assert node_facts(on_gpus, NODE, offers_gpus=False).gpus is None
    assert node_facts(on_gpus, NODE, offers_gpus=True).gpus == gpus(1)


def test_several_things_are_several_sentences_and_survive_the_way(expected: Expected) -> None:
    facts: Any = NodeFacts(host="node7", code="f" * 64, libraries={}, runs="no runs", stores=("no set",))
    found = lacking(expected, facts)
    assert len(found) == 4
    error = pickle.loads(pickle.dumps(UnfitNode(found, "node7", NODE)))
    assert (error.host, error.node, error.lacks) == ("node7", NODE, tuple(found))
    assert str(error).endswith("no set (on node7)")
