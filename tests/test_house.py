"""The structure of the project: what DESIGN and CONTRIBUTING promise about files and imports."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regulars.settings import load

ROOT = Path(__file__).parent.parent
ROOMS = ("features", "training", "serving", "regulars")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
MAX_LINES, MAX_BODY = 400, 50
PICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "skops"}
# A package's own __init__ is imported by anything in the room: it may cost nothing.
HEAVY = {
    "altair", "bentoml", "duckdb", "ibis", "lightgbm", "mlflow", "numpy", "optuna", "pandas",
    "pandera", "pyarrow", "pydantic", "pyspark", "scipy", "sklearn", "starlette",
}  # fmt: skip


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def imported(module: Path) -> set[str]:
    """Top-level names of every package imported anywhere in a module."""
    names: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def public(node: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Public functions, classes and methods, as the module shows them."""
    for child in node.body:
        if isinstance(child, Definition) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)


def offenders(fault: Callable[[Path], Any]) -> dict[str, Any]:
    """Modules with a fault, and the fault."""
    found = {str(module.relative_to(ROOT)): fault(module) for module in MODULES}
    return {module: told for module, told in found.items() if told}


def test_there_is_something_to_look_at():
    assert len(MODULES) > 50
    assert len(EXAMPLES) == 6


def test_the_folder_mlflow_holds_no_python():
    """A regular package there would hide the package mlflow from every import."""
    assert [path for path in (ROOT / "mlflow").rglob("*") if path.suffix in (".py", ".pyc")] == []
    assert not (ROOT / "tests" / "mlflow").exists()


def test_nothing_is_pickled():
    assert offenders(lambda module: imported(module) & PICKLING) == {}


def test_a_module_has_at_most_400_lines():
    def too_long(module: Path) -> int:
        lines = len(module.read_text(encoding="utf-8").splitlines())
        return lines if lines > MAX_LINES else 0

    assert offenders(too_long) == {}


def test_a_function_has_at_most_50_lines():
    def too_long(module: Path) -> dict[str, int]:
        return {f.name: body_lines(f) for f in functions(module) if body_lines(f) > MAX_BODY}

    assert offenders(too_long) == {}


def test_what_is_public_has_a_docstring():
    def bare(module: Path) -> list[str]:
        source = tree(module)
        names = [node.name for node in public(source) if not ast.get_docstring(node)]
        return names if ast.get_docstring(source) else ["the module", *names]

    assert offenders(bare) == {}


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_imports_nothing_heavy(room: str):
    assert imported(ROOT / room / "__init__.py") & HEAVY == set()


@pytest.mark.parametrize("room", ROOMS)
def test_tests_mirror_the_rooms_and_are_no_packages(room: str):
    assert (ROOT / "tests" / room).is_dir()
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_the_wheel_holds_the_four_rooms_and_no_more():
    """Anything else at the top, `mlflow` above all, would be written over other packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert sorted(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == sorted(
        ROOMS
    )


def test_imports_go_one_way():
    """The contract is in pyproject.toml; it is checked by import-linter, as `make contract` is."""
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_read_by_the_real_settings(example: Path):
    settings = load(example, {"REGULARS_DATA": "/data"})
    assert settings.name == example.stem.replace("_", "-")
    assert Path(settings.store.path) == example.parent / ".regulars" / settings.name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_asks_for_the_data_folder(example: Path):
    with pytest.raises(ValueError, match="the environment variable REGULARS_DATA is not set"):
        load(example, {})


def test_hooks_and_ci_call_make_targets_that_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for file in (".pre-commit-config.yaml", ".ci/run"):
        called = set(re.findall(r"^(?:.*entry: )?make ([a-z]+)", (ROOT / file).read_text(), re.M))
        assert called, file
        assert called <= targets, file


def test_help_of_make_lists_every_target():
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    makefile = (ROOT / "Makefile").read_text()
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert [target for target in phony[1].split() if f"make {target} " not in shown] == []


def test_mlproject_calls_the_verbs():
    text = (ROOT / "mlflow" / "MLproject").read_text(encoding="utf-8")
    assert re.findall(r"regulars (\w+) -c \{config\}", text) == ["build", "train", "score"]
