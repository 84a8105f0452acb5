from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.tables.latex import escape, render_latex
from platform.tables.table import build_table
from tests.fake_runs import demo_experiment

PARTS = ("folds", "classes", "confusions")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> str:
    """With reported rows, and with names that LaTeX would stumble over."""
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    rows = aggregate_experiment(store, experiment)

    def renamed(row: AggregatedRow, **change: str) -> AggregatedRow:
        return dataclasses.replace(row, row=dataclasses.replace(row.row, **change))  # type: ignore[arg-type]

    odd = renamed(rows[1], title=r"50% & #1 a_b {x} ~^\\ $y$ 中")
    return render_latex(build_table([renamed(rows[0], dataset="ckplus"), odd, *rows[2:]]), PARTS)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a_b & 5 % #1", r"a\_b \& 5 \% \#1"),
        ("{x} $y$ ~ ^", r"\{x\} \$y\$ \textasciitilde{} \textasciicircum{}"),
        ("\\", r"\textbackslash{}"),
        ("80.1–88.9", "80.1--88.9"),
        ("98.06†", r"98.06$^{\dagger}$"),
        ("Tränen", "Tranen"),
        ("中", "U+4E2D"),
        ("[a]*", "{[}a{]}{*}"),
        ("a < b > c | d", r"a \textless{} b \textgreater{} c \textbar{} d"),
    ],
)
def test_every_character_is_written_so_that_plain_pdflatex_takes_it(text: str, latex: str) -> None:
    assert escape(text) == latex


def test_environments_and_braces_are_balanced(document: str) -> None:
    open_environments: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", document):
        if kind == "begin":
            open_environments.append(name)
        else:
            assert open_environments.pop() == name
    assert open_environments == []
    bare = re.sub(r"\\[{}]", "", document)
    assert bare.count("{") == bare.count("}")
    assert document.isascii()


def test_every_table_has_booktabs_rules_and_equally_many_cells_a_line(document: str) -> None:
    tables = re.findall(r"\\begin\{tabular\}\{(\w+)\}\n(.*?)\\end\{tabular\}", document, re.DOTALL)
    assert len(tables) > 10
    for alignment, body in tables:
        lines = body.strip().splitlines()
        assert (lines[0], lines[2], lines[-1]) == (r"\toprule", r"\midrule", r"\bottomrule")
        for line in lines:
            if not line.endswith("rule"):
                assert line.endswith(r" \\")
                assert len(re.findall(r"(?<!\\)&", line)) == len(alignment) - 1


def test_no_special_character_stands_bare(document: str) -> None:
    for line in document.splitlines():
        text = re.sub(r"\\.", "", line)
        if not text.lstrip().startswith("%"):
            assert "#" not in text
            assert "_" not in text
            assert re.fullmatch(r"[^%]*%?", text), line  # one may end a line


def test_plain_pdflatex_compiles_it(document: str, tmp_path: Path) -> None:
    pdflatex = shutil.which("pdflatex")
    if pdflatex is None:
        pytest.skip("pdflatex is not installed here; the tests above check the document's structure")
    (tmp_path / "table.tex").write_text(document, encoding="ascii")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "table.pdf").stat().st_size > 0


def test_measures_beyond_accuracy_are_a_second_table_with_the_same_lines(document: str) -> None:
    written = r"\\caption\{(.*?)\}.*?\\toprule\n(.*?) \\\\\n\\midrule\n(.*?)\\bottomrule"
    accuracy, measures = re.findall(written, document, re.DOTALL)[:2]
    assert accuracy[0].startswith("Accuracy on")
    assert measures[0].startswith("Measures beyond accuracy on")
    assert "Brier" not in accuracy[1]
    assert "Brier" in measures[1]
    assert "Pooled" not in measures[1]
    names = [[line.split(" & ")[0] for line in body.splitlines()] for _, _, body in (accuracy, measures)]
    assert names[0] == names[1]
