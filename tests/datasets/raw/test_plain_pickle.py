"""The restricted unpickler: plain data of every protocol is read, and nothing else is ever run."""

from __future__ import annotations

import os
import pickle
import struct
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.raw import pickle_machine, plain_pickle
from datasets.raw.plain_pickle import load_plain
from platform.errors import UserError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_data_is_read(tmp_path: Path, protocol: int) -> None:
    shared = ["a", 1]
    value = {
        "S005_001": 3, "ü": [1.5, None, True, -(2**70)], ("x", 2): {"deep": ()}, "bytes": b"\x00\xff",
        "none": b"", "twice": [shared, shared],
    }  # fmt: skip
    assert load_plain(write(tmp_path / "x.pkl", pickle.dumps(value, protocol))) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float64).reshape(3, 4) / 7,
        np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
        np.arange(6, dtype=">i2").reshape(1, 6),
        np.array([[True, False]]),
        np.array(2.5),
        np.zeros((0, 5)),
    ],
)
def test_arrays_of_numbers_are_read(tmp_path: Path, protocol: int, array: np.ndarray) -> None:
    path = write(tmp_path / "x.pkl", pickle.dumps({"a": [array, array]}, protocol))
    value = load_plain(path)
    assert isinstance(value, dict)
    for read in value["a"]:
        assert type(read) is np.ndarray
        assert read.dtype == array.dtype
        np.testing.assert_array_equal(read, array)
    assert value["a"][0].flags.writeable


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy_numbers_become_numbers(tmp_path: Path, protocol: int) -> None:
    value = load_plain(write(tmp_path / "x.pkl", pickle.dumps([np.int64(-1), np.float32(0.5)], protocol)))
    assert value == [-1, 0.5]
    assert isinstance(value, list)
    assert [type(one) for one in value] == [int, float]


def test_a_pickle_of_python_2_is_read_as_latin1(tmp_path: Path) -> None:
    """Written by hand as Python 2's protocol 2 does: `str` keys, an array whose bytes are a `str`."""

    def short(text: bytes) -> bytes:
        return b"U" + bytes([len(text)]) + text

    dtype = b"cnumpy\ndtype\n" + short(b"f8") + b"K\x00K\x01\x87R(K\x03" + short(b"<") + b"NNN"
    dtype += b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + short(b"b") + b"\x87R"
    state = b"(K\x01K\x01K\x02\x86" + dtype + b"\x89" + short(struct.pack("<2d", 1.5, -2.0)) + b"tb"
    content = b"\x80\x02}(" + short(b"caf\xe9") + start + state + short(b"n") + b"K\x05u."
    value = load_plain(write(tmp_path / "x.pkl", content))
    assert isinstance(value, dict)
    np.testing.assert_array_equal(value["café"], [[1.5, -2.0]])
    assert value["n"] == 5


class Evil:
    """Runs `call(*arguments)` when it is unpickled by Python's own unpickler."""

    def __init__(self, call: object, *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("wrap", ["plain", "nested", "array"])
def test_nothing_is_run(tmp_path: Path, protocol: int, wrap: str) -> None:
    marker = tmp_path / "marker"
    evil: object = Evil(os.system, f"touch {marker}")
    if wrap == "nested":
        evil = {"S005_001": 3, "S005_002": [1, {"x": (2, evil)}]}
    if wrap == "array":
        evil = np.array([1, evil], dtype=object)
    content = pickle.dumps(evil, protocol)
    pickle.loads(content)
    assert marker.exists()  # the trap works
    marker.unlink()
    with pytest.raises(UserError, match=r"x\.pkl.* not plain data.*|x\.pkl is not a valid pickle"):
        load_plain(write(tmp_path / "x.pkl", content))
    assert not marker.exists()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_name_asked_for_is_said(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "marker"
    content = pickle.dumps({"a": Evil(eval, f"open({str(marker)!r}, 'w')")}, protocol)
    with pytest.raises(
        UserError, match=r"x\.pkl is not plain data: it references (__builtin__|builtins)\.eval"
    ):
        load_plain(write(tmp_path / "x.pkl", content))
    assert not marker.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'touch marker'\ntR.",  # GLOBAL, REDUCE
        b"(S'touch marker'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'touch marker'\no.",  # OBJ
        b"\x80\x02cos\nsystem\nU\x0ctouch marker\x85\x81.",  # NEWOBJ
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch marker\x85R.",  # STACK_GLOBAL
        b"cposixpath\nos.system\n(S'touch marker'\ntR.",  # a dotted name
        b"cnumpy\n__builtins__\n.",
        b"cnumpy.core.multiarray\n__builtins__\n.",
    ],
)
def test_every_way_to_a_name_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"x\.pkl is not plain data: it references"):
        load_plain(write(tmp_path / "x.pkl", content))
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    "value",
    [np.array(["a"], dtype=object), np.array(["ab"]), np.zeros(2, dtype=[("a", "f8")]), {1, 2}, OrderedDict(),
     Path("x"), 1j],
)  # fmt: skip
def test_what_is_not_plain_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(UserError, match=r"x\.pkl"):
        load_plain(write(tmp_path / "x.pkl", pickle.dumps(value)))


def test_the_names_that_are_answered_cannot_be_changed(tmp_path: Path) -> None:
    before = dict(plain_pickle._STAND_INS)
    content = b"c_codecs\nencode\n}S'__class__'\nK\x01sb."  # BUILD with a state
    with pytest.raises(UserError, match="not a valid pickle"):
        load_plain(write(tmp_path / "x.pkl", content))
    assert before == plain_pickle._STAND_INS


def damaged_array(shape: tuple[int, ...]) -> bytes:
    content = pickle.dumps(np.arange(3, dtype=np.uint8), 2)
    return content.replace(b"K\x03\x85", b"".join(b"J" + struct.pack("<i", n) for n in shape) + b"\x85", 1)


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({"a": [1, 2, 3]})[:-4],  # cut short
        b"not a pickle at all",
        b"\x80\x63.",  # an unknown protocol
        b"r\xff\xff\xff\x7f.",  # a memo index that would take gigabytes
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"ab.",  # a bytearray of a terabyte
        b"](h\x00e.",  # nothing remembered under that index
        b"\x80\x02]q\x00h\x00a.",  # a list that holds itself
        b"(" * 50 + b"." ,
        b"]" * 5000 + b"a" * 4999 + b".",  # deeper than the interpreter can follow
        damaged_array((2**31 - 1,)),
        damaged_array((-3,)),
        damaged_array((2,)),
    ],
)  # fmt: skip
def test_damaged_files_are_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError, match=r"x\.pkl is not a valid pickle of plain data"):
        load_plain(write(tmp_path / "x.pkl", content))


def test_missing_empty_and_huge_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"cannot read .*x\.pkl"):
        load_plain(tmp_path / "x.pkl")
    path = write(tmp_path / "x.pkl", b"")
    with pytest.raises(UserError, match=r"x\.pkl is empty"):
        load_plain(path)
    monkeypatch.setattr(plain_pickle, "LARGEST_BYTES", 10)
    write(path, pickle.dumps("a longer text"))
    with pytest.raises(UserError, match=r"x\.pkl has 2\d bytes, but at most 10"):
        load_plain(path)


def test_data_that_shares_its_parts_is_no_bomb(tmp_path: Path) -> None:
    value: list[object] = ["x"]
    for level in range(40):
        value = [value, value]
        if level == 10:
            assert load_plain(write(tmp_path / "x.pkl", pickle.dumps(value))) == value
    with pytest.raises(UserError, match="it stands for more than 10,000,000 values"):
        load_plain(write(tmp_path / "x.pkl", pickle.dumps(value)))


LONG_TUPLE = b"(" + b"K\x01" * 20_000 + b"tq\x00"
DTYPE = b"cnumpy\ndtype\nX\x02\x00\x00\x00f8\x85Rq\x01"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "content",
    [
        b"(" * 50_000 + b"." ,
        b"]" * 50_000 + b"a" * 49_999 + b".",
        b")" + b"\x85" * 50_000 + b".",
        LONG_TUPLE + b"0}" + b"h\x00K\x01s" * 20_000 + b".",  # hashed again and again
        DTYPE + LONG_TUPLE + b"0" + b"h\x00b" * 20_000 + b".",  # unpacked again and again
        b"c_codecs\nencode\nq\x02" + LONG_TUPLE + b"0" + b"h\x02h\x00R0" * 20_000 + b"N.",
        b"\x8b" + struct.pack("<i", 2**20) + b"\x01" * 2**20 + b".",  # a number of a megabyte
        b"I" + b"9" * 5000 + b"\n.",
        b"\x8e" + struct.pack("<Q", 2**63 - 1) + b"ab.",  # bytes without end
        b"B" + struct.pack("<I", 2**30) + b"ab.",
        b"cnumpy\ndtype\n}b.",
        b"cnumpy.core.multiarray\n_reconstruct\n)R}b.",
        b"\x80\x05\x97.",  # a buffer from elsewhere
        b"Pa\n.",  # an object known elsewhere
        b"\x82\x01.",  # a registered name
        b"\x8f(K\x01\x90.",  # a set
        b"})" + b"\x85" * 50_000 + b"K\x01s.",  # as deep a key crashes Python's own machine
        b"}]K\x01s.",  # a list as a key
        b"}K\x01K\x02(K\x03u.",  # a key without a value
        b".", b"0.", b"N", b"a.", b"R.", b"\x93.", b"t.", b"s.", b"b.",
    ],
)  # fmt: skip
def test_crafted_pickles_are_refused_in_bounded_time(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError, match=r"x\.pkl is not a valid pickle of plain data"):
        load_plain(write(tmp_path / "x.pkl", content))


def test_more_instructions_than_any_file_of_labels_has_are_not_carried_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickle_machine, "MOST_INSTRUCTIONS", 1000)
    load_plain(write(tmp_path / "x.pkl", pickle.dumps([1] * 900)))
    with pytest.raises(UserError, match="more than 1,000 instructions"):
        load_plain(write(tmp_path / "x.pkl", pickle.dumps([1] * 1100)))


def test_an_array_named_again_and_again_takes_no_more_memory_than_a_file_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_pickle, "LARGEST_BYTES", 100_000)
    sound = pickle.dumps(np.zeros(10_000), 2)
    assert isinstance(load_plain(write(tmp_path / "x.pkl", sound)), np.ndarray)
    text = b"X" + struct.pack("<I", 50_000) + b"x" * 50_000 + b"X\x06\x00\x00\x00latin1\x86q\x00"
    content = b"c_codecs\nencode\nq\x01" + text + b"0" + b"h\x01h\x00R0" * 100 + b"N."
    with pytest.raises(UserError, match="more bytes than the file may have"):
        load_plain(write(tmp_path / "x.pkl", content))


SOUND = [
    pickle.dumps(
        {"S005_001": [np.arange(6.0).reshape(2, 3), (1, None, "é")], ("a", 2): {b"x": -1.5}}, protocol
    )
    for protocol in PROTOCOLS
]


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.sampled_from(SOUND),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4), st.integers(0, 4)), max_size=4),
)
def test_any_damage_gives_a_value_or_one_kind_of_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, damages: list[tuple[int, bytes, int]]
) -> None:
    for place, put, removed in damages:
        content = content[:place] + put + content[place + removed :]
    with suppress(UserError):
        load_plain(write(tmp_path_factory.getbasetemp() / "x.pkl", content))
