"""A bento scores raw transactions without MLflow, without a store, elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from serving import bento, deployment, scores
from serving.errors import ServingError

pytestmark = pytest.mark.service

ROOT = Path(__file__).parents[3]


def run(*words: str, environ: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environ(shop, quiet_environ, tmp_path_factory):
    """The shop's environment, with BentoML's stores in a folder of their own."""
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{quiet_environ['PATH']}"
    if shutil.which("uv", path=path) is None:
        reason = "uv, which BentoML builds with, is not installed (make setup does it)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason} (in CI it has to be there)", pytrace=False)
        pytest.skip(reason)
    home = str(tmp_path_factory.mktemp("bentoml"))
    return {**quiet_environ, **shop.environ, "BENTOML_HOME": home, "PATH": path}


def test_a_bento_runs_without_mlflow_and_without_a_store(
    shop, known, environ, quiet_environ, starting, tmp_path
):
    said = run("serving.bento", environ=environ)
    assert said.startswith("regulars-scorer:")
    run("bentoml", "build", ".", environ=environ)
    # Whoever imports MLflow here fails.
    (tmp_path / "blocked" / "mlflow").mkdir(parents=True)
    blocked = tmp_path / "blocked" / "mlflow" / "__init__.py"
    blocked.write_text("raise ImportError('MLflow is not here')\n")
    alone = {
        **quiet_environ,
        "BENTOML_HOME": environ["BENTOML_HOME"],
        "PYTHONPATH": str(tmp_path / "blocked"),
        "REGULARS_WORKERS": "1",
    }
    with starting("regulars:latest", tmp_path, alone, tmp_path) as started:
        customers = [shop.raw(one) for one in known[:20]]
        body = {"customers": customers, "as_of": "2024-07-01"}
        told = httpx.post(f"{started.url}/score", json=body, timeout=60).json()
        assert httpx.post(f"{started.url}/risk", json={"customer_ids": ["x"]}).status_code == 503
        page = httpx.get(started.url).text
        held = started.said
    assert "No score table here" in page
    assert "MLflow is not here" not in held
    assert told["meta"]["model_version"] == "7"
    expected = {row["customer_id"]: row for row in scores.to_table(shop.scores).to_pylist()}
    for item in told["items"]:
        row = expected[item["customer_id"]]
        for name in ("churn_probability", "clv", "expected_spend", "stage", "tier", "rfm"):
            assert item[name] == row[name]
        assert item["reasons"] == row["reasons"]


def test_without_a_champion_or_a_score_table_there_is_no_bento(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    settings = tmp_path / "regulars.toml"
    shutil.copy(shop.config, settings)
    given = {**shop.environ, "REGULARS_CONFIG": str(settings)}
    with pytest.raises(ServingError, match="regulars score"):
        bento.put(deployment.resolve(given))
    from training.runs import registry

    monkeypatch.setattr(registry, "champion", lambda *_: None)
    with pytest.raises(ServingError, match="regulars train"):
        bento.put(deployment.resolve({"REGULARS_CONFIG": str(settings)}))
