"""`bentoml serve serving.service:Regulars` with two workers, asked over the network."""

from __future__ import annotations

import gc
import re
import shutil
import socket
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.service

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def shop_copy(shop, tmp_path_factory):
    """The shop in a folder of its own, its scorer registered as version 1 and 2, 1 champion."""
    from mlflow import MlflowClient

    from training.runs import registry

    folder = tmp_path_factory.mktemp("copy") / "shop"
    shutil.copytree(shop.folder, folder)
    shutil.move(folder / "scorer", folder / "model" / "artifacts" / "scorer")
    uri = f"sqlite:///{folder}/store/mlflow.db"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    run = client.create_run(client.create_experiment("made-shop", (folder / "runs").as_uri()))
    for _ in range(2):
        registry.register(
            uri,
            "made-shop",
            run_id=run.info.run_id,
            source=(folder / "model").as_uri(),
            tags={},
        )
    promote(folder, "1")
    return folder


def promote(folder: Path, version: str) -> None:
    from training.runs import registry

    uri = f"sqlite:///{folder}/store/mlflow.db"
    registry.promote(uri, "made-shop", version, why="in a test", now=datetime.now(UTC))


@pytest.fixture(scope="module")
def started(shop_copy, starting, quiet_environ, tmp_path_factory):
    """Two workers, no keys; the champion is asked of MLflow."""
    folder = tmp_path_factory.mktemp("served")
    environ = {
        **quiet_environ,
        "REGULARS_CONFIG": str(shop_copy / "regulars.toml"),
        "REGULARS_WORKERS": "2",
        "BENTOML_HOME": str(folder / "bentoml"),
    }
    with starting("serving.service:Regulars", folder, environ, ROOT) as running:
        yield running


def ask_often(started, path: str, body: dict, times: int) -> list[dict]:
    """Many requests at once, each on a connection of its own, so that both workers get some."""

    def ask(_: int) -> dict:
        told = httpx.post(started.url + path, json=body, timeout=60)
        assert told.status_code == 200, told.text
        return told.json()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, range(times)))


def workers_that_answered(started) -> set[str]:
    return set(re.findall(r"Regulars:(\d+)\] POST", started.said))


def test_both_workers_answer_with_one_version_and_the_same_numbers(started, shop, known):
    body = {"customer_ids": known[:20]}
    answers = ask_often(started, "/risk", body, 60)
    assert workers_that_answered(started) == {"1", "2"}
    assert answers.count(answers[0]) == 60
    expected = shop.scores.set_index("customer_id")["churn_probability"]
    for item in answers[0]["items"]:
        assert item["churn_probability"] == expected[item["customer_id"]]


def test_a_promotion_meanwhile_changes_no_worker(started, shop_copy, shop, known):
    body = {"customers": [shop.raw(known[0])]}
    before = ask_often(started, "/score", body, 4)
    promote(shop_copy, "2")
    after = ask_often(started, "/score", body, 12)
    assert {told["meta"]["model_version"] for told in before + after} == {"1"}


def test_counts_are_added_up_over_the_workers(started, known):
    def counted() -> float:
        told = httpx.get(f"{started.url}/metrics").text
        pattern = r'requests_total\{method="POST",route="/value",status="200"\} (\S+)'
        found = re.search(pattern, told)
        return float(found[1]) if found else 0.0

    ask_often(started, "/value", {"customer_ids": known[:1]}, 30)
    assert counted() == 30


def test_bentomls_own_client_knows_the_methods(started, known, monkeypatch, tmp_path):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    import bentoml

    with warnings.catch_warnings():
        # The client leaves its temporary folder to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        with bentoml.SyncHTTPClient(started.url) as client:
            told = client.risk({"customer_ids": known[:2]})
        del client
        gc.collect()
    assert [item["customer_id"] for item in told["items"]] == known[:2]


def test_only_this_machine_can_connect(started):
    port = int(started.url.rpartition(":")[2])
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5)
    assert "no API keys (REGULARS_API_KEYS): only this machine is answered" in started.said
    told = httpx.get(started.url, headers={"host": "evil.example"})
    assert told.status_code == 403


def test_a_new_score_table_is_served_by_both_workers(started, shop_copy, known):
    newer = shop_copy / "store" / "scores" / "as_of=2024-07-15.parquet"
    body, until = {"customer_ids": known[:1]}, time.monotonic() + 60
    copy_scores(shop_copy, newer)
    seen: set[str] = set()
    while seen != {"2024-07-15"} and time.monotonic() < until:
        time.sleep(1)
        seen = {told["meta"]["as_of"] for told in ask_often(started, "/risk", body, 12)}
    assert seen == {"2024-07-15"}
    newer.write_bytes(b"half a file")
    time.sleep(6)
    seen = {told["meta"]["as_of"] for told in ask_often(started, "/risk", body, 12)}
    assert seen == {"2024-07-15"}


def copy_scores(folder: Path, to: Path) -> None:
    """The same scores under a later date."""
    from dataclasses import replace
    from datetime import date

    from serving import scores

    (first,) = (folder / "store" / "scores").iterdir()
    day = date(2024, 7, 15)
    frame = scores.read(first)
    frame["as_of"] = frame["as_of"].map(lambda _: day).astype(frame["as_of"].dtype)
    scores.write(frame, replace(scores.read_meta(first), as_of=day), to)


def test_the_log_names_no_customer_and_no_path_of_a_client(started, known):
    httpx.get(f"{started.url}/customers/{known[0]}")
    httpx.post(f"{started.url}/risk", json={"customer_ids": [known[0]], known[0]: 1})
    httpx.post(f"{started.url}/risk", content=known[0], headers={"content-type": "text/plain"})
    time.sleep(0.5)
    assert "GET other 404" in started.said
    assert "shopper" not in started.said
    assert "Traceback" not in started.said
