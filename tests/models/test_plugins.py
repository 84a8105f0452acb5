"""Methods of the user's own: loaded from a file, refused with a reason, carried to other processes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Configuration, configuration_of, option_names, replace
from platform.errors import UserError
from platform.models import load_method, method_names, plugins
from platform.models.plugins import read_plugin, register
from platform.search.definition import definition_of_space
from search_spaces import space_names

TINY = Path(__file__).parent.parent / "data" / "methods" / "tiny_net.py"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registered plug-ins of one test are unknown to the next."""
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})


@pytest.mark.parametrize("text", [str(TINY), f"{TINY}:TinyNet"])
def test_a_file_becomes_a_method_of_its_name(text: str) -> None:
    method = register(read_plugin(text))
    assert (method.name, method.title) == ("tiny_net", "Tiny net")
    assert load_method("tiny_net") is method
    assert "tiny_net" in method_names()
    assert {"filters", "label_smoothing", "stage2_batch_size"} <= set(option_names("tiny_net"))
    assert "backbone" not in option_names("tiny_net")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('frozenset({"sequences"})', "frozenset()",
         r"scores sequences, so it must declare needs with 'sequences' among them, but got \[\]; add it"),
        ("CrossEntropy, LastStage, SequenceFrames, ", "CrossEntropy, LastStage, ",
         "trains a net on sequences, so its options must mix in SequenceFrames .* SequencePairsOptions does"),
    ],
)  # fmt: skip
def test_a_method_that_scores_sequences_says_what_it_needs(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = TINY.with_name("sequence_pairs.py").read_text()
    assert old in text
    (tmp_path / "mine.py").write_text(text.replace(old, new))
    with pytest.raises(UserError, match=message):
        register(read_plugin(str(tmp_path / "mine.py")))


def test_the_same_file_twice_is_one_method() -> None:
    assert register(read_plugin(str(TINY))) is register(read_plugin(str(TINY)))


def test_an_edited_file_has_records_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "tiny_net.py"
    file.write_bytes(TINY.read_bytes())
    before = register(read_plugin(str(file))).record()
    file.write_text(TINY.read_text() + "\n# changed\n")
    after = register(read_plugin(str(file))).record()
    assert before.keys() == after.keys() == {"plugin"}
    assert before != after


def test_its_options_travel_to_a_process_that_does_not_know_it(root: Path) -> None:
    register(read_plugin(str(TINY)))
    sent = pickle.dumps(configuration_of("tiny_net", filters=5))
    program = (
        "import pickle, sys; made = pickle.loads(sys.stdin.buffer.read()); "
        "from platform.models import load_method; "
        "print(made.filters, load_method(made.method).title, made.method)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=sent, capture_output=True, check=True, cwd=root
    )
    assert done.stdout.decode() == "5 Tiny net tiny_net\n"


def test_its_options_are_changed_and_checked_as_any(tmp_path: Path) -> None:
    register(read_plugin(str(TINY)))
    made: Any = configuration_of("tiny_net")
    assert isinstance(made, Configuration)
    assert replace(made, filters=3) == configuration_of("tiny_net", filters=3)
    with pytest.raises(UserError, match="filters must be 1 to 64, but got 65; change --filters"):
        replace(made, filters=65)


def test_a_plugin_may_bring_its_own_search_space(tmp_path: Path) -> None:
    file = tmp_path / "searched.py"
    file.write_text(TINY.read_text().replace('space = "tiny_net"', 'space = "searched"'))
    method = register(read_plugin(str(file)))
    assert method.space in space_names()
    definition = definition_of_space("searched", configuration_of("searched"))
    assert definition.first == ({"tiny_learning_rate": 1e-2},)
    with pytest.raises(
        UserError, match=r"the space searched searches tiny_learning_rate, which .* fmpn does not read"
    ):
        definition_of_space("searched", configuration_of("fmpn"))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "tiny_net.py"
    other.write_text(TINY.read_text() + "\n")
    register(read_plugin(str(TINY)))
    with pytest.raises(UserError, match="two methods cannot have one name"):
        register(read_plugin(str(other)))


def test_the_name_of_a_method_of_this_repository_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "cnn.py"
    other.write_bytes(TINY.read_bytes())
    with pytest.raises(UserError, match=r"two methods cannot have one name, but .*cnn\.py.* rename"):
        register(read_plugin(str(other)))


HEAD = "from platform.models.method import Method\n"
DECLARED = HEAD + (
    "from platform.models.options.configuration import Configuration\n"
    "class Mine(Method):\n"
    "    title, options, space = 'Mine', Configuration, 'baseline'\n"
    "    presets = {'quick': {}, 'smoke': {}}\n"
)


@pytest.mark.parametrize(
    ("text", "class_name", "message"),
    [
        ("x = 1\n", "", r"has 0 methods \(none\)"),
        (HEAD + "class A(Method): ...\nclass B(Method): ...\n", "", r"has 2 methods \(A, B\)"),
        (HEAD + "class A(Method): ...\n", ":C", r"has no method C \(A\)"),
        (HEAD + "class A(Method): ...\n", "", "the method A in .*mine.py must declare title"),
        (DECLARED, "", "must define every function of Method, but has no fit, load; add"),
        (
            DECLARED.replace("method import Method", "net_method import NetMethod").replace(
                "Method)", "NetMethod)"
            ),
            "",
            "must define every function of NetMethod, but has no build, loss, parameter_groups, scores; add",
        ),
        ("def f(:\n", "", r"raised SyntaxError: .*\(line 1\)"),
        ("x = 1\ny = x / 0\n", "", r"raised ZeroDivisionError: division by zero \(line 2\)"),
        ("import no_such_package\n", "", r"raised ModuleNotFoundError: .*no_such_package.* \(line 1\)"),
    ],
)
def test_what_is_missing_is_said_in_one_message(
    tmp_path: Path, text: str, class_name: str, message: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(UserError, match=message):
        register(read_plugin(f"{file}{class_name}"))


def test_a_file_that_is_not_there_or_has_no_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no file"):
        read_plugin(str(tmp_path / "mine.py"))
    strange = tmp_path / "my-method.py"
    strange.write_text("")
    with pytest.raises(UserError, match="letters, digits and underscores"):
        read_plugin(str(strange))


def test_presets_of_every_method_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(TINY.read_text().replace('"smoke": SMALL', ""))
    with pytest.raises(UserError, match="must have the presets quick and smoke, but has no smoke"):
        register(read_plugin(str(file)))


def changed(folder: Path, old: str, new: str, name: str = "mine") -> Path:
    """The tiny net's file with one passage replaced."""
    text = TINY.read_text()
    assert old in text
    file = folder / f"{name}.py"
    file.write_text(text.replace(old, new))
    return file


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Tiny net"', 'title = "Tiny\\nnet"', "must declare title as a text on one line"),
        ('title = "Tiny net"', 'title = "T"\n    version = "2"', "must declare version as a whole number"),
        ('title = "Tiny net"', 'title = "T"\n    unit = "video"', "must declare unit as image or sequence"),
        ('title = "Tiny net"', 'title = "T"\n    needs = "sequences"', "must declare needs as a frozenset"),
        ('title = "Tiny net"', 'title = "T"\n    only_artifacts = (int,)', "only_artifacts as a tuple of gr"),
        ('space = "tiny_net"', "space = None", "must declare space as the name of a search space"),
        ('"smoke": SMALL', '"smoke": None', "must declare presets as a dict of dicts"),
        ('"smoke": SMALL', '"smoke": {"filtres": 2}', r"unknown key of the preset smoke of .* 'filtres'"),
        ('"smoke": SMALL', '"smoke": {"method": "cnn"}', r"unknown key of the preset smoke of .* 'method'"),
        ('"smoke": SMALL', '"smoke": {"filters": 0}', "preset smoke .* must make valid options, .*filters"),
        ("filters: int = 8", "filters: list = [8]", "mutable default"),
        ("filters: int = 8", "filters: dict[str, int] = None", "filters of .* is dict.*; change its type"),
        ("filters: int = 8", "filters: int", "every option must have a default, but filters"),
        ("filters: int = 8", "filters: Sone = 8", "must have known types, but name 'Sone' is not defined"),
        ("filters: int = 8", "filters: int = 'a'", "must make valid options, .*filters must be of type int"),
        ("@dataclass(frozen=True, kw_only=True)", "", "must be a dataclass of their own, but TinyNetOptions"),
        ("SMALL = {", "import sys\nsys.exit(0)\nSMALL = {", r"raised SystemExit: 0 \(line \d+\)"),
        ("def first(base", "def second(base", "has suggest and no first"),
        ('title = "Tiny net"', 'title = "T"\n\n    def __init__(self):\n        raise OSError("no")',
         r"raised OSError: no \(line \d+\)"),
    ],
)  # fmt: skip
def test_a_declaration_of_another_form_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        register(read_plugin(str(changed(tmp_path, old, new))))


SUBCLASS = (
    "from platform.models.cnn import Cnn\n\n\nclass {0}(Cnn):\n    title = '{0}'\n"
    "    presets = {{**Cnn.presets}}\n"
)


def test_a_method_that_inherits_its_options_leaves_the_other_methods_as_they_are(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(SUBCLASS.format(name.title()))
        made.append(register(read_plugin(str(tmp_path / f"{name}.py"))))
    assert load_method("cnn").options.origin is None
    assert [method.options.origin.name for method in made] == ["one", "two"]
    for method in made:
        sent: Any = pickle.loads(pickle.dumps(configuration_of(method.name, weights="none")))
        assert type(sent) is method.options
    assert type(pickle.loads(pickle.dumps(configuration_of("cnn")))) is load_method("cnn").options


def test_the_same_file_by_another_path_is_the_same_method(tmp_path: Path) -> None:
    (tmp_path / "tiny_net.py").write_bytes(TINY.read_bytes())
    (tmp_path / "folder").mkdir()
    first = register(read_plugin(str(tmp_path / "tiny_net.py")))
    assert register(read_plugin(str(tmp_path / "folder" / ".." / "tiny_net.py"))) is first


def test_an_error_within_the_file_is_told_from_ours() -> None:
    method = register(read_plugin(str(TINY)))
    with pytest.raises(AttributeError) as found:
        method.parameter_groups(None, None)  # type: ignore[attr-defined]
    fault = plugins.fault_of(found.value)
    assert "tiny_net.py raised AttributeError: 'NoneType' object has no attribute 'parameters' (line " in str(
        fault
    )
    assert plugins.fault_of(ValueError("ours")) is None


def test_a_file_given_as_a_name_says_where_it_belongs() -> None:
    with pytest.raises(UserError, match="other files by --plugins DIR and their names"):
        load_method("/path/mine.py:Mine")
