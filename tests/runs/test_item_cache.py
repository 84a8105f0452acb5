"""The item cache: what is read is what would be computed, and no trouble with its files costs a run."""

from __future__ import annotations

import errno
import hashlib
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from platform.files.dry_run import dry_run
from platform.files.local_storage import LocalStorage
from platform.models.plugins import PlugIn, register
from platform.models.recipe import Recipe, same_bits
from platform.runs import item_cache
from platform.runs.item_cache import ItemCache, content_of, packed, recipe_key, unpacked
from tests.tiny_faces import noise

IMAGES = np.stack([noise(f"face {number}", 8) for number in range(6)])
CALLS: list[str] = []


def edges(face: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Noted in CALLS, so that tests know what was computed."""
    CALLS.append(content_of(face))
    return np.asarray(np.diff(face.astype(np.float32).mean(2), axis=0) * scale)


def ones(face: np.ndarray) -> np.ndarray:
    return np.ones(1)


RECIPE = Recipe(name="edges", function=edges, parameters={"scale": 0.5})


@pytest.fixture(autouse=True)
def forgotten() -> None:
    CALLS.clear()


def cache_at(root: Path, **options: Any) -> ItemCache:
    return ItemCache(root, cpu_threads=1, **options)


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_face_is_computed_once_and_read_bit_for_bit(tmp_path: Path) -> None:
    expected = RECIPE.of(IMAGES)
    first = cache_at(tmp_path)
    assert same_bits(first(RECIPE, IMAGES[:4]), expected[:4])
    assert first.facts() == {"item_cache": {"read": 0, "computed": 4}}
    assert same_bits(first(RECIPE, IMAGES[:2]), expected[:2])
    CALLS.clear()
    later, order = cache_at(tmp_path), np.array([5, 1, 1, 0, 4])
    assert same_bits(later(RECIPE, IMAGES[order]), expected[order])
    assert later.facts() == {"item_cache": {"read": 3, "computed": 2}}
    # One of those read, to verify, with its repetition; the two new ones, with the first one's repetition.
    assert {content_of(IMAGES[row]) for row in (5, 4)} < set(CALLS)
    assert len(set(CALLS)) == 3
    assert len(files(tmp_path)) == 2


def test_what_was_never_asked_is_no_fact(tmp_path: Path) -> None:
    assert cache_at(tmp_path).facts() == {}
    assert files(tmp_path) == []


def test_a_changed_face_parameter_version_name_or_function_is_computed_again(tmp_path: Path) -> None:
    cache_at(tmp_path)(RECIPE, IMAGES)
    changed = IMAGES.copy()
    changed[0, 0, 0, 0] ^= 1
    one = cache_at(tmp_path)
    assert same_bits(one(RECIPE, changed), RECIPE.of(changed))
    assert one.facts()["item_cache"] == {"read": 5, "computed": 1}
    assert content_of(IMAGES[0]) != content_of(IMAGES[0].reshape(4, 16, 3))
    for other in (
        Recipe(name="edges", function=edges, parameters={"scale": 0.25}),
        Recipe(name="edges", function=edges, parameters={"scale": 0.5}, version=2),
        Recipe(name="others", function=edges, parameters={"scale": 0.5}),
        Recipe(name="edges", function=ones),
    ):
        two = cache_at(tmp_path)
        assert same_bits(two(other, IMAGES), other.of(IMAGES))
        assert two.facts()["item_cache"]["computed"] == 6
    assert recipe_key(RECIPE, 1) != recipe_key(RECIPE, 2)


def test_an_edited_plug_in_and_another_library_compute_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.models.plugins._KNOWN", {})
    toy = Path(__file__).parent.parent / "data" / "methods" / "pixel_svm.py"
    keys = []
    for source in (toy.read_bytes(), toy.read_bytes() + b"\n"):
        method = register(PlugIn(name="pixel_svm", class_name="", source=source, place="pixel_svm.py"))
        recipe = sys.modules[type(method).__module__].pixels_of(8)
        keys.append(recipe_key(recipe, 1))
    assert len(set(keys)) == 2
    monkeypatch.setattr(item_cache, "LIBRARIES", ("numpy", "no_such_library"))
    item_cache._libraries.cache_clear()
    assert recipe_key(recipe, 1) not in keys
    item_cache._libraries.cache_clear()


def test_a_function_of_no_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "__module__", "builtins")
    item_cache._source_hash.cache_clear()
    with pytest.raises(TypeError, match="must be in a file that is imported, but builtins is none"):
        recipe_key(RECIPE, 1)


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_file_is_said_and_computed_again(tmp_path: Path, damage: str) -> None:
    expected = cache_at(tmp_path)(RECIPE, IMAGES)
    (path,) = files(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes({"cut": content[:-5], "flipped": content, "emptied": b""}[damage])
    cache = cache_at(tmp_path)
    with pytest.warns(UserWarning, match=r"\.features cannot be used .*computed again; remove the file"):
        assert same_bits(cache(RECIPE, IMAGES), expected)
    facts = cache.facts()["item_cache"]
    assert facts["computed"] == 6
    assert len(facts["problems"]) == 1
    mended = cache_at(tmp_path)  # the same features have the same file name, so the file is whole again
    assert same_bits(mended(RECIPE, IMAGES), expected)
    assert mended.facts()["item_cache"] == {"read": 6, "computed": 0}


@pytest.mark.parametrize(
    "content",
    [b"{}\n", b"[]\n", b"no JSON\n12345678", b'{"faces": [], "shape": [], "type": "O"}\n',
     b'{"faces": ["a"], "shape": [2], "type": "<f8"}\n12345678'],
)  # fmt: skip
def test_a_file_of_another_form_is_said_and_computed_again(tmp_path: Path, content: bytes) -> None:
    """A later version may write another form."""
    folder = tmp_path / "item_cache" / recipe_key(RECIPE, 1)
    folder.mkdir(parents=True)
    (folder / f"{_sha256(content)}.features").write_bytes(content)
    with pytest.warns(UserWarning, match="cannot be used"):
        assert same_bits(cache_at(tmp_path)(RECIPE, IMAGES), RECIPE.of(IMAGES))


def test_what_killed_writers_left_and_what_was_removed_is_passed_over(tmp_path: Path) -> None:
    expected = cache_at(tmp_path)(RECIPE, IMAGES)
    (path,) = files(tmp_path)
    path.with_name(f".{path.name}.0123456789ab.partial").write_bytes(b"half")

    class Removed(LocalStorage):
        def names(self, folder: Path) -> list[str]:
            return [*super().names(folder), "gone.features"]

    cache = cache_at(tmp_path, storage=Removed())
    assert same_bits(cache(RECIPE, IMAGES), expected)
    assert cache.facts()["item_cache"] == {"read": 6, "computed": 0}


class Refusing(LocalStorage):
    """A full disk, or a folder without permissions (tests may run as root, whom no mode stops)."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__()
        self._call, self._code = call, code

    def replace(self, path: Path, content: bytes, *, make_folder: bool = True) -> None:
        if self._call == "replace":
            raise OSError(self._code, "No space left on device", str(path))
        super().replace(path, content, make_folder=make_folder)

    def names(self, folder: Path) -> list[str]:
        if self._call == "names":
            raise OSError(self._code, "Permission denied", str(folder))
        return super().names(folder)


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        (
            "replace",
            errno.ENOSPC,
            r"cannot be kept in .* \(No space left on device\), so other runs compute them",
        ),
        ("replace", errno.EROFS, "cannot be kept in"),
        ("names", errno.EACCES, "cannot be read .Permission denied., so features are computed"),
    ],
)
def test_a_cache_that_cannot_be_used_costs_time_and_is_said_once(
    tmp_path: Path, call: str, code: int, said: str
) -> None:
    cache = cache_at(tmp_path, storage=Refusing(call, code))
    with pytest.warns(UserWarning, match=said):
        assert same_bits(cache(RECIPE, IMAGES), RECIPE.of(IMAGES))
    assert same_bits(cache(RECIPE, IMAGES), RECIPE.of(IMAGES))  # a second warning would be an error
    assert len(cache.facts()["item_cache"]["problems"]) == 1


def test_features_of_another_machine_are_neither_used_nor_mixed_with(tmp_path: Path) -> None:
    """What no hash sees: another processor, or a helper that changed without a new version."""
    folder = tmp_path / "item_cache" / recipe_key(RECIPE, 1)
    folder.mkdir(parents=True)
    content = packed([content_of(IMAGES[0])], RECIPE.of(IMAGES[:1]) + 1)
    LocalStorage().replace(folder / f"{_sha256(content)}.features", content)
    cache = cache_at(tmp_path)
    with pytest.warns(UserWarning, match="not those that this machine computes, so this run computes all"):
        assert same_bits(cache(RECIPE, IMAGES), RECIPE.of(IMAGES))
    assert cache.facts()["item_cache"]["computed"] == 6
    assert len(files(tmp_path)) == 1


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_dry_run_and_a_second_worker_write_nothing(tmp_path: Path) -> None:
    with dry_run():
        cache_at(tmp_path)(RECIPE, IMAGES)
    cache_at(tmp_path, writes=False)(RECIPE, IMAGES)
    assert files(tmp_path) == []


def test_writers_at_once_agree(tmp_path: Path) -> None:
    """Overlapping faces, as two folds have them."""
    expected, wrong = RECIPE.of(IMAGES), []

    def work(shift: int) -> None:
        rows = (np.arange(4) + shift) % 6
        for _ in range(5):
            if not same_bits(cache_at(tmp_path)(RECIPE, IMAGES[rows]), expected[rows]):
                wrong.append(shift)

    threads = [threading.Thread(target=work, args=(shift,)) for shift in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    last = cache_at(tmp_path)
    last(RECIPE, IMAGES)
    assert last.facts()["item_cache"] == {"read": 6, "computed": 0}


@pytest.mark.parametrize("kind", ["<f8", ">f4", "|b1", "|u1", "<i8", "<f2"])
def test_every_type_of_number_comes_back_as_it_was(kind: str) -> None:
    values = np.arange(6).reshape(3, 2).astype(kind)
    found = unpacked(packed(["a", "b", "c"], values), {"b", "c", "d"})
    assert found.keys() == {"b", "c"}
    assert same_bits(found["c"], values[2])
