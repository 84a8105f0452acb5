from __future__ import annotations

from pathlib import Path

import pytest

from datasets.fold_lists.listed_images import FoldLists
from datasets.fold_lists.read import read_fold_lists
from platform.errors import UserError


def read(tmp_path: Path, text: str) -> FoldLists:
    path = tmp_path / "folds.csv"
    path.write_text(text)
    return read_fold_lists(path)


def test_with_fold_alone_each_fold_trains_on_what_it_does_not_test(tmp_path: Path) -> None:
    lists = read(tmp_path, "image,subject,fold\na.png,A,0\nb.png,B,1\nc.png,C,2\nc.png,C,2\nb.png,B,2\n")
    assert [(fold.index, fold.train, fold.test) for fold in lists.folds] == [
        (0, ("b.png", "c.png"), ("a.png",)),
        (1, ("a.png", "c.png"), ("b.png",)),
        (2, ("a.png",), ("c.png", "c.png", "b.png")),
    ]


def test_with_split_rows_each_fold_is_as_listed(tmp_path: Path) -> None:
    text = "image,subject,split,fold\na.png,A,train,1\nb.png,B, Test ,1\nb.png,B,train,2\na.png,A,test,2\n"
    assert [(fold.index, fold.train, fold.test) for fold in read(tmp_path, text).folds] == [
        (1, ("a.png",), ("b.png",)),
        (2, ("b.png",), ("a.png",)),
    ]
    (single,) = read(tmp_path, "image,subject,split\na.png,A,train\nb.png,B,test\n").folds
    assert (single.index, single.train, single.test) == (0, ("a.png",), ("b.png",))


def test_names_give_what_columns_do_not(tmp_path: Path) -> None:
    text = "image,sequence,expression,fold\nx/S005_001_00000009.png,7,Disgust,0\nS010_002_00000012.png,7,,1\n"
    images = read(tmp_path, text).images
    first, second = images["x/S005_001_00000009.png"], images["S010_002_00000012.png"]
    assert (first.subject, first.sequence, first.expression, first.label) == (
        "S005",
        "S005_001",
        "disgust",
        None,
    )
    assert (second.subject, second.sequence, second.expression) == ("S010", "S010_002", None)
    text = "image,subject,sequence,expression,fold\na.png,A,7,3,0\nb.png,B,7,-1,1\n"
    images = read(tmp_path, text).images
    assert (images["a.png"].sequence, images["b.png"].sequence) == ("A_7", "B_7")
    assert (images["a.png"].expression, images["a.png"].label, images["b.png"].label) == (None, 3, -1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,subjct,fold\na.png,A,0\n", r"unknown column 'subjct'; did you mean 'subject'"),
        ("image,subject\na.png,A\n", r"needs the columns image and fold .*has image, subject; add them"),
        ("subject,fold\nA,0\n", r"needs the columns image and fold"),
        ("image,fold,fold\na.png,0,0\n", r"the column 'fold' appears twice"),
        ("image,fold,released_test_fold\na.png,0,0\n", r"needs the columns image and fold"),
        ("image,split,released_test_fold\na.png,train,0\n", r"both released_test_fold and split"),
        ("image,subject,fold\n", r"lists no images"),
        ("image,subject,fold\na.png,A,first\n", r"line 2: fold must be a whole number, but is 'first'"),
        ("image,subject,fold\na.png,A,\n", r"line 2: fold must be a whole number, but is ''"),
        ("image,subject,fold\na.png,A\n", r"line 2: it has 2 cells, but its header has 3"),
        ("image,subject,fold\na.png,A,0,0\n", r"line 2: it has 4 cells, but its header has 3"),
        ("image,subject,fold\n,A,0\n", r"line 2: an image name is missing"),
        (
            "image,fold\nface12.png,0\n",
            r"line 2: the subject is missing, and 'face12\.png' .*add a column subject",
        ),
        ("image,subject,fold\n../a.png,A,0\n", r"line 2: '\.\./a\.png' leaves the folder"),
        ("image,subject,fold\nx/../../a.png,A,0\n", r"line 2: .* leaves the folder"),
        ("image,subject,fold\n/a.png,A,0\n", r"line 2: '/a\.png' leaves the folder"),
        ("image,subject,fold\na.png,A,0\nb.png,B,0\n", r"has only fold 0; add a column split"),
        ("image,subject,fold\na.png,A,0\nb.png,B,2\n", r"has 0, 2; add the missing ones"),
        ("image,subject,fold\na.png,A,0\na.png,B,1\n", r"line 3: a\.png has another subject"),
        ("image,subject,split,fold\na.png,A,val,0\n", r"line 2: split must be train or test, but is 'val'"),
        ("image,subject,split,fold\na.png,A,train,0\n", r"fold 0 in .* has 1 and 0; add its lines"),
        ('image,subject,fold\n"a.png,A,0\n', r"folds\.csv, line 2: a quote .* is opened but not closed"),
    ],
)
def test_bad_tables_name_the_file_and_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path, text)
    assert "folds.csv" in str(caught.value)


def test_an_empty_file_and_another_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "folds.csv"
    path.write_bytes(b"")
    with pytest.raises(UserError, match="is empty"):
        read_fold_lists(path)
    path.write_bytes("image,subject,fold\nä.png,A,0\n".encode("latin1"))
    with pytest.raises(UserError, match="not text in UTF-8"):
        read_fold_lists(path)
