"""The folder `platform` and the standard library's module of that name live together."""

from __future__ import annotations

import importlib.util
import inspect
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import types
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

STANDARD_FILE = Path(os.__file__).with_name("platform.py")

LIST_NAMES = """
import json, platform
code = lambda value: value.__code__.co_code.hex() if hasattr(value, "__code__") else ""
print(json.dumps({name: code(value) for name, value in vars(platform).items()}))
"""

DESCRIBE = """
import json, platform
names = {names!r}
print(json.dumps([repr(getattr(platform, name)()) for name in names]))
"""


def standard_module() -> types.ModuleType:
    """The standard library's module, loaded from its file under another name, untouched by us."""
    spec = importlib.util.spec_from_file_location("standard_platform", STANDARD_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STANDARD = standard_module()
QUESTIONS = sorted(
    name
    for name, value in vars(STANDARD).items()
    if inspect.isfunction(value)
    and not name.startswith("_")
    and name not in {"popen", "java_ver", "win32_is_iot"}  # deprecated, or only of another system
    and all(p.default is not p.empty for p in inspect.signature(value).parameters.values())
)


def run_python(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """This Python with `arguments` in `cwd`; PYTHONPATH and PYTHONSAFEPATH of the caller do not reach it."""
    clean = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONSAFEPATH"}}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=clean | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def submodule_file_in_worker() -> str:
    """Runs in a spawned process: where it finds our submodule."""
    import platform.errors

    return platform.errors.__file__


def test_this_process_has_both_modules(root: Path) -> None:
    import platform.errors

    assert platform.errors.__file__ == str(root / "platform" / "errors.py")
    assert platform.__file__ == str(STANDARD_FILE)
    assert platform.system() == STANDARD.system()


def test_the_facade_has_every_name_and_function_of_the_standard_module(root: Path) -> None:
    result = run_python("-c", LIST_NAMES, cwd=root)
    assert result.returncode == 0, result.stderr
    facade = json.loads(result.stdout)
    expected = {
        # The code of a function, nothing of any other value.
        name: value.__code__.co_code.hex() if inspect.isfunction(value) else ""
        for name, value in vars(STANDARD).items()
        if not name.startswith("__")  # `__path__`, `__name__`, `__spec__` differ by intent
    }
    assert len(expected) > 40
    assert {name: facade.get(name) for name in expected} == expected
    # Nothing of the facade's own making lies beside them.
    assert {name for name in facade if not name.startswith("__")} == set(expected)


def test_the_facade_answers_as_the_standard_module(root: Path, tmp_path: Path) -> None:
    assert {"system", "machine", "python_version", "uname", "platform"} <= set(QUESTIONS)
    script = DESCRIBE.format(names=QUESTIONS)
    ours = run_python("-W", "error", "-c", script, cwd=root)
    standard = run_python("-W", "error", "-c", script, cwd=tmp_path)
    assert ours.returncode == 0, ours.stderr
    assert json.loads(ours.stdout) == json.loads(standard.stdout)


def test_torch_and_ray_import_from_the_root_without_a_warning(root: Path) -> None:
    script = (
        "import torch, ray, platform\n"
        "import platform.errors\n"
        "assert ray.__file__ and torch.__file__\n"
        "print(platform.errors.__file__, platform.__path__[0], sep='\\n')"
    )
    result = run_python("-W", "error", "-c", script, cwd=root)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [str(root / "platform" / "errors.py"), str(root / "platform")]


def test_tensorboard_starts_from_the_root(root: Path) -> None:
    result = run_python("-m", "tensorboard.main", "--version", cwd=root)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()[0].isdigit()


@pytest.mark.parametrize("from_root", [True, False], ids=["from the root", "from elsewhere"])
@pytest.mark.parametrize("start", ["pytest", "python -m pytest"])
def test_pytest_finds_our_submodules_however_it_is_started(
    root: Path, tmp_path: Path, start: str, from_root: bool
) -> None:
    script = Path(sys.executable).with_name("pytest")
    program = [str(script)] if start == "pytest" else ["-m", "pytest"]
    one_test = f"{Path(__file__)}::{test_this_process_has_both_modules.__name__}"
    result = run_python(
        *program, "-q", "-p", "no:cacheprovider", one_test, cwd=root if from_root else tmp_path
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout


def test_a_spawned_worker_of_this_process_imports_our_submodules(root: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        assert pool.submit(submodule_file_in_worker).result(60) == str(root / "platform" / "errors.py")


def test_spawned_workers_of_a_command_import_it_again(root: Path, tmp_path: Path) -> None:
    """`python -m platform.probe` spawns workers, which import `platform.probe` as their main module."""
    (tmp_path / "platform").mkdir()
    shutil.copy(root / "platform" / "__init__.py", tmp_path / "platform")
    (tmp_path / "platform" / "probe.py").write_text(
        "import multiprocessing\n"
        "import platform\n"
        "def name(_):\n"
        "    return f'{__name__} {platform.system()}'\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(name, [0])[0])\n"
    )
    result = run_python("-m", "platform.probe", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == f"__mp_main__ {STANDARD.system()}"


@pytest.mark.parametrize("direction", ["ours to plain", "plain to ours"])
def test_uname_results_travel_between_our_processes_and_plain_ones(
    root: Path, tmp_path: Path, direction: str
) -> None:
    sender, receiver = (root, tmp_path) if direction == "ours to plain" else (tmp_path, root)
    sent = run_python(
        "-c", "import pickle, platform; print(pickle.dumps(platform.uname()).hex())", cwd=sender
    )
    assert sent.returncode == 0, sent.stderr
    script = f"import pickle; print(pickle.loads(bytes.fromhex({sent.stdout.strip()!r})).system)"
    received = run_python("-c", script, cwd=receiver)
    assert received.stdout.strip() == STANDARD.system(), received.stderr


@pytest.mark.parametrize("how", ["python -P", "python -I", "PYTHONSAFEPATH", "loaded before"])
def test_where_it_cannot_work_python_says_what_is_missing(root: Path, tmp_path: Path, how: str) -> None:
    """The root is not searched, or the standard module came first: none of our code runs then.

    Nothing of ours can catch it, so this pins what the README quotes.
    """
    environment: dict[str, str] = {}
    flags: list[str] = []
    if how.startswith("python"):
        flags = [how.split()[1]]
    elif how == "PYTHONSAFEPATH":
        environment = {"PYTHONSAFEPATH": "1"}
    else:
        (tmp_path / "sitecustomize.py").write_text("import platform")
        # `python -m` puts the root on the path only after `sitecustomize` has run.
        environment = {"PYTHONPATH": str(tmp_path)}
    result = run_python(*flags, "-m", "platform.errors", cwd=root, **environment)
    assert result.returncode == 1
    assert "platform.errors" in result.stderr
    assert "__path__ attribute not found on 'platform'" in result.stderr


RAY_TASK = """
import os, ray

@ray.remote
def found():
    import platform.errors
    return platform.errors.__file__, platform.system()

ray.init(
    num_cpus=1,
    include_dashboard=False,
    log_to_driver=False,
    logging_level="ERROR",
    runtime_env={"env_vars": {"PYTHONPATH": os.getcwd()}},
)
print(*ray.get(found.remote(), timeout=100))
"""


@pytest.mark.ray
def test_a_ray_task_imports_our_submodules(root: Path) -> None:
    result = run_python("-c", RAY_TASK, cwd=root)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(root / "platform" / "errors.py"), STANDARD.system()]
