"""The architecture as rules that a source file can break: layers, heavy imports, safety, docstrings.

Every rule is a function from source text to complaints, tried here on text that breaks it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE_FOLDERS = ("platform", "datasets", "search_spaces")

LAYERS = (
    "platform.errors",
    "platform.host",
    "platform.files",
    "datasets.records",
    "datasets.raw",
    "datasets.alignment",
    "datasets.catalogue",
    "datasets.inspection",
    "datasets.prepared",
    "datasets.folds",
    "datasets.fold_lists",
    "datasets",  # the adapters: one file a data set
    "datasets.audit",
    "datasets.masks",
    "datasets.augmentation",
    "datasets.batches",
    "datasets.sequence_batches",
    "datasets.synthetic",
    "platform.models",
    "search_spaces",
    "platform.config",
    "platform.training",
    "platform.evaluation",
    "platform.runs",
    "platform.search",
    "platform.experiments",
    "platform.monitoring",
    "platform.aggregation",
    "platform.tables",
    "platform.inventory",
    "platform.reports",
    "platform.distributed",
    "platform.diagnosis",
    "platform.cli",
    "platform",  # the commands, one file each
)
"""The way of the data: a file imports only from its own layer and from those before it."""

COMMANDS_IN_LAYERS = ("platform.runs.__main__",)
"""Commands that have to lie in the folder of a layer: `python -m platform.runs` runs `__main__.py` of the
package of that name, and a file of the same name beside the package would hide it. They count as commands,
not as that layer."""

HEAVY = {"albumentations", "cv2", "face_alignment", "matplotlib", "optuna", "pandas", "pyarrow", "ray"} | {
    "scipy", "sklearn", "skimage", "tensorboard", "torch", "torchvision",
}  # fmt: skip
"""Not imported until a command has parsed its arguments: `--help` answers within a second."""


@dataclass(frozen=True)
class Import:
    """One imported module as written, and whether it is imported together with the file itself."""

    module: str
    line: int
    at_start: bool


def sources(*folders: str) -> list[Path]:
    """The Python files of `folders` under the root, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    """`datasets.synthetic` for datasets/synthetic/__init__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str) -> Iterator[Import]:
    """Every import of `source`, those inside functions and TYPE_CHECKING blocks too."""

    def walk(node: ast.AST, at_start: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, child.lineno, at_start)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"line {child.lineno}: relative import"
                for alias in child.names:
                    yield Import(f"{child.module}.{alias.name}", child.lineno, at_start)
            else:
                later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or (
                    isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
                )
                yield from walk(child, at_start and not later)

    yield from walk(ast.parse(source), at_start=True)


def layer(module: str) -> int | None:
    """Index in LAYERS of the layer that `module` is part of; None for third parties' modules."""
    if module == "platform":
        return None  # the standard library's names
    if module in COMMANDS_IN_LAYERS:
        return LAYERS.index("platform")
    matches = [name for name in LAYERS if module == name or module.startswith(name + ".")]
    return LAYERS.index(max(matches, key=len)) if matches else None


def package_of(module: str) -> str:
    """`torch` for `torch.nn.functional`."""
    return module.partition(".")[0]


# --- the rules: (module name, source) -> complaints -------------------------------------------------


def breaks_layers(module: str, source: str) -> list[str]:
    own = layer(module)
    found = []
    for imported in imports(source):
        other = layer(imported.module)
        if own is not None and other is not None and other > own:
            found.append(f"line {imported.line}: {module} ({LAYERS[own]}) imports {imported.module}")
    return found


def imports_ray(module: str, source: str) -> list[str]:
    if layer(module) == LAYERS.index("platform.distributed"):
        return []
    return [f"line {i.line}: imports {i.module}" for i in imports(source) if package_of(i.module) == "ray"]


def imports_no_ray(module: str, source: str) -> list[str]:
    """What stands in `distributed` and imports no Ray belongs elsewhere, unless it serves only what does."""
    if not module.startswith("platform.distributed.") or any(
        package_of(i.module) == "ray" for i in imports(source)
    ):
        return []
    users = importers(module)
    beside = [user for user in users if layer(user) == LAYERS.index("platform.distributed")]
    return [] if users and beside == users else ["imports no Ray"]


def importers(module: str) -> list[str]:
    """The source files that import from `module`."""
    return [user for user, imported in imported_from().items() if module in imported]


@lru_cache
def imported_from() -> dict[str, set[str]]:
    """Every source file and the files that it imports from."""
    found = {}
    for path in sources(*SOURCE_FOLDERS):
        modules = {each.module for each in imports(path.read_text(encoding="utf-8"))}
        found[module_name(path)] = modules | {name.rpartition(".")[0] for name in modules}
    return found


def imports_private_names(module: str, source: str) -> list[str]:
    own = ("platform", "datasets", "search_spaces")
    return [
        f"line {i.line}: imports {i.module}"
        for i in imports(source)
        if package_of(i.module) in own and any(part.startswith("_") for part in i.module.split(".")[1:])
    ]


def imports_argparse(module: str, source: str) -> list[str]:
    """Only the commands and `cli` know flags."""
    own = layer(module)
    if own is not None and own >= LAYERS.index("platform.cli"):
        return []
    return [f"line {i.line}: imports argparse" for i in imports(source) if i.module == "argparse"]


def imports_torch_in_datasets(module: str, source: str) -> list[str]:
    if package_of(module) != "datasets" or module in {
        "datasets.batches",
        "datasets.sequence_batches",
        "datasets.augmentation.draw",
        "datasets.alignment.face_alignment_detector",
    }:
        return []
    wrong = {"torch", "torchvision"}
    return [f"line {i.line}: imports {i.module}" for i in imports(source) if package_of(i.module) in wrong]


def lacks_docstrings(module: str, source: str) -> list[str]:
    tree = ast.parse(source)
    found = [] if ast.get_docstring(tree) or not source.strip() else ["the module has no docstring"]
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            found.append(f"line {node.lineno}: {node.name} has no docstring")
        if isinstance(node, ast.ClassDef) and not node.bases:  # an override inherits its docstring
            found += [
                f"line {member.lineno}: {node.name}.{member.name} has no docstring"
                for member in node.body
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
                and not member.name.startswith("_")
                and not ast.get_docstring(member)
                and "overload" not in map(ast.unparse, member.decorator_list)  # the implementation has it
            ]
    return found


FORBIDDEN_CALLS = {
    "eval", "exec", "os.system", "os.popen", "yaml.load", "yaml.full_load", "yaml.unsafe_load",
    "pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads",
    "marshal.load", "marshal.loads", "joblib.load", "shelve.open", "pandas.read_pickle", "pd.read_pickle",
}  # fmt: skip
UNSAFE_MODULES = ("xml.etree", "xml.dom", "xml.sax")


def is_unsafe(module: str, source: str) -> list[str]:
    """Reading that can run code, or that a hostile file can blow up."""
    found = [
        f"line {i.line}: imports {i.module}; use defusedxml"
        for i in imports(source)
        if i.module.startswith(UNSAFE_MODULES)
    ]
    for name in (i for i in imports(source) if i.module in FORBIDDEN_CALLS):
        found.append(f"line {name.line}: imports {name.module}")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if called in FORBIDDEN_CALLS:
            found.append(f"line {node.lineno}: {called}")
        if called == "torch.load" and options.get("weights_only") != "True":
            found.append(f"line {node.lineno}: torch.load without weights_only=True")
        if options.get("allow_pickle", "False") != "False":
            found.append(f"line {node.lineno}: {called} with allow_pickle")
        if options.get("shell", "False") != "False":
            found.append(f"line {node.lineno}: {called} through a shell")
    return found


READERS_OF_FILES = {
    "json.load", "json.loads", "csv.reader", "csv.DictReader", "cv2.imread", "cv2.VideoCapture", "np.loadtxt",
    "np.genfromtxt", "np.fromfile", "np.memmap", "yaml.safe_load", "yaml.safe_load_all", "yaml.compose",
    "yaml.parse", "yaml.scan", "pickletools.genops", "safetensors.torch.load_file", "load_file",
}  # fmt: skip
MAY_READ = {
    "datasets.raw.clips": "OpenCV opens a clip by its name, which has been through the gate",
    "datasets.prepared.image_file": "images of a store that this process is writing",
    "datasets.raw.pickle_machine": "bytes in memory",
    "datasets.prepared.store_files": "numpy maps images.npy by its name, which has been through the gate",
    "platform.distributed.ray_start": "Ray's own logs",
    "platform.host.checkout": "a file of the checkout",
    "platform.host.gpus": "the answer of a process of its own",
    "platform.host.machine_limits": "files of the kernel",
    "platform.host.probe": "the answer of a process of its own",
    "platform.host.processor": "a file of the kernel",
    "platform.host.ray_sessions": "command lines of processes",
    "platform.files.append_only": "a journal that this process appends to",
    "platform.search.journal": "lines of that journal",
    "platform.search.space_paths": "text of its own in memory",
    "platform.search.recorded_values": "text of its own in memory",
    "platform.cli.search_checks": "text of its own in memory",
}
"""Modules that open or parse by themselves, and why they may."""


def reads_beside_the_gate(module: str, source: str) -> list[str]:
    """Files are opened, and their text is parsed, by platform.files: regular, bounded, with file and line."""
    if module.startswith("platform.files.") or module == "platform.__init__" or module in MAY_READ:
        return []
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called, arguments = ast.unparse(node.func), [ast.unparse(argument) for argument in node.args]
        last = called.rpartition(".")[2]
        modes = [
            text
            for text in (*arguments[:2], *(ast.unparse(k.value) for k in node.keywords))
            if _is_mode(text)
        ]
        opens = called == "open" or (last == "open" and (not arguments or _is_mode(arguments[0])))
        in_memory = bool(arguments) and arguments[0].startswith(("io.BytesIO(", "BytesIO("))
        if (
            called in READERS_OF_FILES
            or (last in ("read_text", "read_bytes") and not arguments and "." in called)
            or (opens and all("r" in mode for mode in modes))
            or (called in ("np.load", "numpy.load", "Image.open") and not in_memory)
        ):
            found.append(f"line {node.lineno}: {called}; use platform.files")
    return found


def _is_mode(text: str) -> bool:
    return re.fullmatch(r"'[rwax][bt+]*'", text) is not None


WRITERS_OF_FILES = {
    "os.replace", "os.rename", "os.renames", "os.link", "os.fsync", "shutil.move",
}  # fmt: skip
MAY_WRITE = {
    "platform.cli.unexpected": "a traceback, which must be kept where nothing else can be written",
    "platform.distributed.search": "Ray Tune's own folder, dropped with the search",
    "platform.host.ray_paths": "Ray's own folder, dropped with Ray",
}
"""Modules that name or replace files by themselves, and why they may."""


def writes_beside_the_storage(module: str, source: str) -> list[str]:
    """Renames, temporary files, syncs and locks are platform.files' (storage.py): one set of promises."""
    if module.startswith("platform.files.") or module in MAY_WRITE:
        return []
    found = [
        f"line {i.line}: imports {i.module}; use platform.files.storage"
        for i in imports(source)
        if package_of(i.module) in ("tempfile", "fcntl") or i.module in WRITERS_OF_FILES
    ]
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        # `text.replace(old, new)` has two arguments, `path.replace(target)` has one.
        renames = called.endswith((".rename", ".hardlink_to")) or (
            called.endswith(".replace") and len(node.args) == 1 and not node.keywords
        )
        if called in WRITERS_OF_FILES or renames:
            found.append(f"line {node.lineno}: {called}; use platform.files.storage")
    return found


FMPNS_WORDS = re.compile(r"mask|stage[ _-]?1", re.IGNORECASE)
MAY_KNOW_FMPN = {
    "platform.models.fmpn": "the method",
    "platform.models.cnn_no_mask_loss": "FMPN without a part",
    "platform.models.released_checkpoint": "FMPN's release",
    "platform.models.masks.": "its artifacts and diagnostics",
    "platform.models.networks.": "its nets",
    "platform.runs.artifact_records": "stored keys",
    "platform.runs.mask_sets": "masks of a data set",
    "platform.search.savings": "stored keys",
    "platform.experiments.rows": "stored keys",
    "platform.experiments.experiment_file": "stored keys",
    "platform.experiments.same_name": "stored keys",
    "platform.experiments.mask_substitutes": "what replaces masks and stage 1",
    "platform.experiments.transfer": "transfers masks",
    "platform.experiments.leave_one_out": "says early that a set cannot have masks",
    "platform.experiments.reproduction": "the paper's own rows",
    "platform.experiments.experiment": "the settings --masks and --transfer-to",
    "platform.evaluation.reported": "the paper's own rows",
}
"""Modules, or folders of them, that may speak of masks and of stage 1, and why."""
KNOWS_NO_METHOD = (
    "platform.host", "platform.files", "platform.models", "platform.training", "platform.evaluation",
    "platform.runs", "platform.search", "platform.experiments", "platform.monitoring", "platform.distributed",
)  # fmt: skip
"""Layers that run any method alike; those after them show what is stored, and name flags."""


def knows_fmpn(module: str, source: str) -> list[str]:
    """What runs a method must not know its parts by name; `target_mask` is a field of every batch."""
    if not module.startswith(KNOWS_NO_METHOD) or module.startswith(tuple(MAY_KNOW_FMPN)):
        return []
    tree = ast.parse(source)
    texts = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }  # docstrings may give examples
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            words = [node.value] if isinstance(node.value, str) and id(node) not in texts else []
        else:
            words = [getattr(node, name, None) for name in ("id", "attr", "arg", "name", "module")]
        found += [
            f"line {getattr(node, 'lineno', '?')}: {word}"
            for word in words
            if isinstance(word, str) and FMPNS_WORDS.search(word.replace("target_mask", ""))
        ]
    return found


UNFINISHED = re.compile(r"\b(?:TO" + "DO|FIX" + "ME|XX" + r"X)\b")
MACHINE_PATH = re.compile(
    r"(?<![\w.~/$}-])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+)(?![\w-])"
)


def is_unfinished(module: str, source: str) -> list[str]:
    lines = enumerate(source.splitlines(), start=1)
    return [f"line {number}: {line.strip()}" for number, line in lines if UNFINISHED.search(line)]


def names_a_machine(module: str, source: str) -> list[str]:
    lines = enumerate(source.splitlines(), start=1)
    return [f"line {number}: {line.strip()}" for number, line in lines if MACHINE_PATH.search(line)]


Rule = Callable[[str, str], list[str]]
SOURCE_RULES: list[Rule] = [
    breaks_layers,
    imports_ray,
    imports_no_ray,
    imports_private_names,
    imports_argparse,
    imports_torch_in_datasets,
    lacks_docstrings,
    is_unsafe,
    reads_beside_the_gate,
    writes_beside_the_storage,
    knows_fmpn,
]
TEXT_RULES: list[Rule] = [is_unfinished, names_a_machine]


@pytest.mark.parametrize("rule", SOURCE_RULES)
def test_no_source_file_breaks_the_rule(rule: Rule) -> None:
    files = sources(*SOURCE_FOLDERS)
    assert len(files) > 10
    found = [
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in files
        for complaint in rule(module_name(path), path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize("rule", TEXT_RULES)
def test_no_file_of_ours_breaks_the_rule(rule: Rule) -> None:
    folders = (*SOURCE_FOLDERS, "tests", "benchmarks", "clusters", "docs", ".ci")
    kinds = {".py", ".pyi", ".md", ".yaml", ".toml", ".sh", ""}
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    files += [path for path in ROOT.iterdir() if path.suffix in {".md", ".yaml", ".toml"}]
    files = [path for path in files if path.is_file() and "__pycache__" not in path.parts]
    files.append(ROOT / "Makefile")
    found = [
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in files
        for complaint in rule("", path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(["", *found])


def test_no_two_files_import_each_other() -> None:
    """No circle of imports, those inside functions and under TYPE_CHECKING counted too."""
    files = {module_name(path): path for path in sources(*SOURCE_FOLDERS)}
    waits = {
        module: {
            found for i in imports(path.read_text(encoding="utf-8")) if (found := _file(i.module, files))
        }
        - {module}
        for module, path in files.items()
    }
    while free := {module for module, needed in waits.items() if not needed & waits.keys()}:
        waits = {module: needed for module, needed in waits.items() if module not in free}
    assert not waits, {module: sorted(needed & waits.keys()) for module, needed in waits.items()}


def _file(imported: str, files: dict[str, Path]) -> str:
    """The file of ours that holds an imported module or name; empty for third parties' and packages'."""
    while imported and imported not in files:
        imported = imported.rpartition(".")[0]
    return "" if imported == "platform" else imported  # the standard library's names


def test_nothing_heavy_is_imported_before_a_command_has_parsed_its_arguments() -> None:
    """Follows the imports at the start of files from every command, through our own modules."""
    texts = {module_name(path): path.read_text(encoding="utf-8") for path in sources(*SOURCE_FOLDERS)}
    commands = [name for name, text in texts.items() if '__name__ == "__main__"' in text]
    found = []
    for command in commands:
        waiting, seen = [(command, command)], {command}
        while waiting:
            module, way = waiting.pop()
            for imported in imports(texts[module]):
                if not imported.at_start:
                    continue
                if package_of(imported.module) in HEAVY:
                    found.append(f"{way} -> {imported.module}")
                # `a.b.c` imports a and a.b on its way; c may be a module or a name in one.
                parts = imported.module.split(".")
                for name in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
                    if name in texts and name != "platform" and name not in seen:
                        seen.add(name)
                        waiting.append((name, f"{way} -> {name}"))
    assert not found, "\n".join(["", *found])


# --- every rule finds what it is for ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "module", "source"),
    [
        (breaks_layers, "datasets.folds.rules", "from platform.runs.store import ResultsStore"),
        (breaks_layers, "datasets.folds.rules", "def f():\n    import platform.models"),
        (breaks_layers, "platform.models.fmpn", "from platform.training import stages"),
        (breaks_layers, "platform.training.stages", "from platform import tune"),
        (breaks_layers, "platform.errors", "import datasets"),
        (breaks_layers, "platform.runs.store", "from platform.cli.parser import run"),
        (breaks_layers, "platform.cli.parser", "import platform.runs.__main__"),
        (imports_ray, "platform.runs.store", "def f():\n    from ray.tune import Tuner"),
        (imports_ray, "search_spaces.paper", "import ray"),
        (imports_no_ray, "platform.distributed.progress", "import time"),
        (imports_private_names, "platform.tune", "from platform.runs.store import _open"),
        (imports_private_names, "platform.tune", "def f():\n    from platform._old import name"),
        (imports_argparse, "platform.config.configuration", "import argparse"),
        (imports_torch_in_datasets, "datasets.masks", "from torch.nn import functional"),
        (lacks_docstrings, "datasets.masks", "import os"),
        (lacks_docstrings, "datasets.masks", '"""D."""\ndef build(): ...'),
        (lacks_docstrings, "datasets.masks", '"""D."""\nclass Masks:\n    x = 1'),
        (
            lacks_docstrings,
            "datasets.masks",
            '"""D."""\nclass A:\n    """D."""\n    def read(self): ...',
        ),
        (is_unsafe, "datasets.mmi", "import xml.etree.ElementTree"),
        (is_unsafe, "datasets.mmi", "from xml.dom import minidom"),
        (is_unsafe, "platform.tune", "import torch\ntorch.load(path)"),
        (is_unsafe, "platform.tune", "import torch\ntorch.load(path, weights_only=False)"),
        (is_unsafe, "platform.tune", "import yaml\nyaml.load(text, Loader=yaml.Loader)"),
        (is_unsafe, "platform.tune", "from pickle import loads"),
        (is_unsafe, "platform.tune", "import numpy\nnumpy.load(path, allow_pickle=True)"),
        (is_unsafe, "platform.tune", "import subprocess\nsubprocess.run(text, shell=True)"),
        (reads_beside_the_gate, "platform.tune", "path.read_text()"),
        (reads_beside_the_gate, "platform.tune", "Path('x').read_bytes()"),
        (reads_beside_the_gate, "platform.tune", "open(path)"),
        (reads_beside_the_gate, "platform.tune", "path.open('rb')"),
        (reads_beside_the_gate, "platform.tune", "path.open(mode='r', encoding='utf-8')"),
        (reads_beside_the_gate, "platform.tune", "json.loads(text)"),
        (reads_beside_the_gate, "datasets.folder", "csv.DictReader(lines)"),
        (reads_beside_the_gate, "datasets.folder", "np.load(path, allow_pickle=False)"),
        (reads_beside_the_gate, "datasets.folder", "Image.open(path)"),
        (writes_beside_the_storage, "platform.tune", "os.replace(a, b)"),
        (writes_beside_the_storage, "platform.tune", "from os import rename"),
        (writes_beside_the_storage, "platform.tune", "os.link(a, b)"),
        (writes_beside_the_storage, "datasets.folder", "path.rename(target)"),
        (writes_beside_the_storage, "datasets.folder", "path.replace(target)"),
        (writes_beside_the_storage, "platform.tune", "def f():\n    from tempfile import NamedTemporaryFile"),
        (writes_beside_the_storage, "platform.tune", "import fcntl"),
        (writes_beside_the_storage, "platform.tune", "os.fsync(file.fileno())"),
        (knows_fmpn, "platform.runs.tasks", "stage1 = None"),
        (knows_fmpn, "platform.training.stages", "def f(masks): ..."),
        (knows_fmpn, "platform.search.pruning", "record['masks']"),
        (knows_fmpn, "platform.distributed.dispatcher", "label = f'stage 1 {name}'"),
        (knows_fmpn, "platform.training.stages", "from datasets.masks.motion_masks import MaskSet"),
        (is_unfinished, "", "# TO" + "DO: later"),
        (names_a_machine, "", "DATA = '/ho" + "me/someone/data'"),
        (names_a_machine, "", "see /wo" + "rk/main"),
    ],
)
def test_a_rule_finds_what_breaks_it(rule: Rule, module: str, source: str) -> None:
    assert rule(module, source)


@pytest.mark.parametrize(
    ("rule", "module", "source"),
    [
        (
            breaks_layers,
            "platform.runs.store",
            "import datasets.prepared.store\nfrom platform.models import x",
        ),
        (breaks_layers, "datasets.folds.rules", "import platform\nimport numpy"),
        (breaks_layers, "platform.runs.__main__", "from platform.cli.parser import run"),
        (imports_ray, "platform.distributed.search", "import ray"),
        (imports_ray, "platform.tune", "import rayleigh"),
        (imports_no_ray, "platform.distributed.train", "def f():\n    from ray import train"),
        (imports_private_names, "platform.tune", "from __future__ import annotations"),
        (imports_argparse, "platform.cli.parser", "import argparse"),
        (imports_torch_in_datasets, "datasets.batches", "import torch"),
        (lacks_docstrings, "x", '"""D."""\nclass A(B):\n    """D."""\n    def forward(self): ...'),
        (lacks_docstrings, "x", '"""D."""\nclass A:\n    """D."""\n    @overload\n    def f(self): ...'),
        (is_unsafe, "platform.tune", "import torch\ntorch.load(path, weights_only=True)"),
        (reads_beside_the_gate, "datasets.folder", "read_bytes(path)\nopening.read_text(path)"),
        (
            reads_beside_the_gate,
            "datasets.folder",
            "path.open('w')\nopen(path, 'ab')\nStore.open(folder)",
        ),
        (reads_beside_the_gate, "datasets.folder", "np.load(io.BytesIO(content), allow_pickle=False)"),
        (reads_beside_the_gate, "platform.files.json_files", "json.loads(text)"),
        (writes_beside_the_storage, "platform.tune", "text.replace('a', 'b')\nreplace(one, name=2)"),
        (writes_beside_the_storage, "platform.files.local_storage", "import tempfile\nos.replace(a, b)"),
        (knows_fmpn, "platform.runs.tasks", '"""As stage 1 does."""\nbatch.target_mask'),
        (knows_fmpn, "platform.tables.columns", "row.masks"),
        (names_a_machine, "", "https://example.org/wo" + "rk/ and ~/wo" + "rk/ and ./ro" + "ot"),
    ],
)
def test_a_rule_leaves_alone_what_keeps_it(rule: Rule, module: str, source: str) -> None:
    assert rule(module, source) == []
