"""Tables of any program are read; what would be a guess is refused with its line."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform.errors import UserError
from platform.files.tables import read_rows, read_table

KNOWN = ("image", "subject", "expression")
EXPECTED = [
    {"image": "a b.png", "subject": "José", "expression": "anger"},
    {"image": "c.png", "subject": "S2", "expression": ""},
]


def cells(path: Path) -> list[dict[str, str]]:
    return [row.cells() for row in read_table(path, KNOWN).rows()]


@pytest.mark.parametrize("separator", [",", ";", "\t", ", ", "; "])
@pytest.mark.parametrize("header", ["image subject expression", "Image SUBJECT Expression"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_same_table_is_read_however_it_was_saved(
    tmp_path: Path, separator: str, header: str, encoding: str
) -> None:
    path = tmp_path / "t.csv"
    lines = [header.split(), ["a b.png", "José", "anger"], [], ['"c.png"', "S2", ""]]
    for end in ("\n", "\r\n", "\r"):
        text = end.join(separator.join(line) for line in lines) + end
        path.write_bytes(text.encode(encoding))
        assert cells(path) == EXPECTED


def test_rows_know_their_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\n\nimage;subject\n;\na;1\n  \nb;2\n")
    table = read_table(path, KNOWN)
    assert (table.columns, table.header_line, table.separator) == (("image", "subject"), 3, ";")
    assert table.missing(KNOWN) == ["expression"]
    assert [(row.line, row.where, row.cells()) for row in table.rows()] == [
        (5, f"{path}, line 5", {"image": "a", "subject": "1"}),
        (7, f"{path}, line 7", {"image": "b", "subject": "2"}),
    ]


def test_separators_and_doubled_quotes_inside_quotes_belong_to_the_cell(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('image,subject,expression\n"a,b",  "says ""x""", y\n')
    assert cells(path) == [{"image": "a,b", "subject": 'says "x"', "expression": "y"}]


def test_empty_columns_that_a_spreadsheet_writes_are_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("image,subject,,expression,,\na,b,,c,,\n,,,,,\nd,e,,f\n")
    assert [row["expression"] for row in cells(path)] == ["c", "f"]
    path.write_text("image,subject,,expression\na,b,x,c\n")
    with pytest.raises(UserError, match="line 2: a cell has no column name above it"):
        cells(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty; its first line must name its columns"),
        (b"\n \n", "is empty"),
        (b"image,subject,Image\n", "line 1: the column 'image' appears twice"),
        (b"image,note,note\n", "line 1: the column 'note' appears twice"),
        (b"image,subject\na\n", "line 2: it has 1 cells, but its header has 2"),
        (b"image,subject\na,b,c\n", "line 2: it has 3 cells, but its header has 2"),
        (b'image,subject\n"a,b\nc,d"\n', r'line 2: a quote \("\) is opened but not closed on this line'),
        (b'image,subject\n"a"b,c\n', "line 2: ',' expected after '\"'"),
        (b"image,subject\na,b\nJos\xe9,c\n", "line 3 is not text in UTF-8 .byte 0xe9.*Latin-1"),
        (b"image,subject\na\0,b\n", "line 2 is not text in UTF-8 .it has a zero byte"),
        (b"image,subject\n" + b"x" * 2_000_000, "line 2 has more than 1,048,576 characters"),
        (b"image,subject\n" + b'"' + b"x" * 200_000, "line 2: field larger than field limit"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"t\.csv,? {complaint}"):
        cells(path)


def test_a_wrong_line_leaves_the_others_to_be_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('image,subject\n"a,1\nb,2\n')
    wrong, right = read_table(path, KNOWN).rows()
    with pytest.raises(UserError, match="line 2"):
        wrong.cells()
    assert right.cells() == {"image": "b", "subject": "2"}


def test_rows_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b\n\n1;2\n")
    assert list(read_rows(path)) == [(1, ["a", "b"]), (3, ["1", "2"])]


@settings(max_examples=150, deadline=None, database=None)
@given(content=st.binary(max_size=30) | st.text(alphabet='a,;"\t\n\r é\\=sep', max_size=60).map(str.encode))
def test_any_bytes_give_rows_or_one_kind_of_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for before in (b"", b"image,subject\n"):
        path.write_bytes(before + content)
        for read in (cells, lambda path: list(read_rows(path))):
            with suppress(UserError):
                read(path)
