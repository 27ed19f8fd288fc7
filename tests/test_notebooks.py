"""The notebooks run from top to bottom, quietly, with pictures, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parent.parent / "notebooks"
SCRIPTS = sorted(FOLDER.glob("*.py"))


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    """Everything that the cells of an executed notebook show, in order."""
    return [shown for cell in notebook.cells for shown in cell.get("outputs", [])]


def execute(script: Path, folder: Path) -> NotebookNode:
    """Execute a percent script as a notebook in a folder; a cell that raises is an error here."""
    notebook = jupytext.read(script)
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=place).execute()
    return notebook


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in; Jupyter and IPython keep their own files elsewhere."""
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))
    # BLAS threads only get in each other's way where several test processes run.
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_there_are_notebooks():
    assert {script.stem for script in SCRIPTS} >= {"behaviour", "retraining", "value_model"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(script: Path, workplace: Path):
    shown = outputs(execute(script, workplace))
    complaints = [output.text for output in shown if output.get("name") == "stderr"]
    pictures = [output for output in shown if "image/png" in output.get("data", {})]
    assert complaints == []
    assert len(pictures) >= 3
    assert list(workplace.iterdir()) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_as_jupytext_writes_it(script: Path):
    """Saving the paired notebook changes no line of the script."""
    notebook = jupytext.read(script)
    notebook.metadata.setdefault("jupytext", {})["notebook_metadata_filter"] = "-all"
    assert jupytext.writes(notebook, fmt="py:percent") == script.read_text(encoding="utf-8")


def test_no_notebook_is_in_git():
    """Outputs would grow old beside the scripts that made them."""
    ignored = (FOLDER.parent / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "notebooks/*.ipynb" in ignored
