"""The MLflow project in mlflow/: its steps run the verbs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_mlflow_runs_a_step(config: Path, empty_mlflow: Path, tmp_path: Path):
    """`mlflow run` finds the step, gives it the settings, and the step leaves its table."""
    shutil.copy(empty_mlflow, tmp_path / "steps.db")
    scripts = Path(sys.executable).parent
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/steps.db",
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
    }
    command = [scripts / "mlflow", "run", ROOT / "mlflow", "-e", "build", "--env-manager", "local"]
    ended = subprocess.run(
        [*map(str, command), "-P", f"config={config}", "-P", "as-of=2024-02-01"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    store = config.parent / ".regulars"
    assert (store / "behaviour" / "as_of=2024-02-01.parquet").exists()
    assert not list(store.glob("*.db")), "the step's own run belongs to the project's tracking"
