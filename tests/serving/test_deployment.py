"""What is served: from the settings, a bento or the environment, resolved once."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from serving import deployment, surroundings
from serving.deployment import Names, pin, resolve
from serving.errors import ServingError

SETTINGS = 'name = "shop"\ncurrency = "EUR"\ntimezone = "Europe/Paris"\n'


@pytest.fixture(autouse=True)
def nothing_here(tmp_path, monkeypatch):
    """A working folder without settings."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def champion(monkeypatch):
    """MLflow's answer, and what it was asked."""
    from training.runs import registry

    asked = []

    def answer(uri, name, version=None):
        asked.append((uri, name, version))
        return SimpleNamespace(version=version or "5", path=Path("/models/5"))

    monkeypatch.setattr(registry, "champion", answer)
    return asked


def write(folder: Path, text: str = SETTINGS) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "regulars.toml").write_text(text)
    return {"REGULARS_CONFIG": str(folder / "regulars.toml")}


def test_names_and_store_come_from_the_settings(tmp_path, champion):
    found = resolve(write(tmp_path / "etc"))
    assert found.names == Names("shop", "EUR", "Europe/Paris")
    assert found.store is not None
    assert found.store.path == tmp_path / "etc" / ".regulars"
    assert found.scorer == Path("/models/5")
    assert found.model_version == "5"
    assert champion == [(f"sqlite:///{tmp_path}/etc/.regulars/mlflow.db", "shop", None)]


def test_plans_and_groups_reckon_with_the_margin_of_the_settings(tmp_path, champion):
    found = resolve(write(tmp_path, SETTINGS + "[value]\nmargin = 0.4\n"))
    assert found.terms is not None
    assert (found.policy.value.margin, found.terms.margin) == (0.4, 0.4)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///runs.db", "sqlite:///{folder}/runs.db"),
        ("sqlite:////data/runs.db", "sqlite:////data/runs.db"),
        ("postgresql://u:p@db/runs", "postgresql://u:p@db/runs"),
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("${TRACKING}", "http://here"),
        ("${NOWHERE:-http://there}", "http://there"),
    ],
)
def test_relative_addresses_start_at_the_settings(tmp_path, champion, written, meant):
    environ = write(tmp_path, SETTINGS + f'[tracking]\nuri = "{written}"\n[store]\npath = "/s"\n')
    found = resolve({**environ, "TRACKING": "http://here"})
    assert found.store is not None
    assert found.store.path == Path("/s")
    assert champion[0][0] == meant.format(folder=tmp_path)


def test_the_working_folders_settings_stand_in(tmp_path, champion):
    write(tmp_path)
    assert resolve({}).names.name == "shop"


def test_a_pinned_version_is_asked_for(tmp_path, champion):
    found = resolve({**write(tmp_path), "REGULARS_MODEL_VERSION": "3"})
    assert found.model_version == "3"
    assert champion[0][2] == "3"


def test_a_scorer_in_the_environment_needs_no_mlflow(tmp_path, champion):
    environ = {**write(tmp_path), "REGULARS_SCORER": "/s", "REGULARS_MODEL_VERSION": "9"}
    found = resolve(environ)
    assert (found.scorer, found.model_version) == (Path("/s"), "9")
    assert champion == []


def test_pinning_makes_every_later_resolution_the_same(tmp_path, champion, monkeypatch):
    from training.runs import registry

    environ = write(tmp_path)
    pin(environ)
    assert environ["REGULARS_MODEL_VERSION"] == "5"
    assert Path(environ["REGULARS_METRICS_DIR"]).is_dir()
    monkeypatch.setattr(registry, "champion", lambda *_: pytest.fail("asked again"))
    assert resolve(environ).model_version == "5"


def test_pinning_names_the_settings_from_every_folder(tmp_path, champion, monkeypatch):
    write(tmp_path)
    for environ in ({"REGULARS_CONFIG": "regulars.toml"}, {}):
        monkeypatch.chdir(tmp_path)
        pin(environ)
        monkeypatch.chdir("/")
        assert resolve(environ).names.name == "shop"


def test_without_a_champion_there_is_a_deployment_without_a_scorer(tmp_path, monkeypatch):
    from training.runs import registry

    monkeypatch.setattr(registry, "champion", lambda *_: None)
    environ = write(tmp_path)
    pin(environ)
    found = resolve(environ)
    assert found.scorer is None
    assert "REGULARS_SCORER" not in environ


def bundled(folder: Path, **changed: object) -> Path:
    folder.mkdir()
    text = deployment.bundle(Names("boxed", "USD", "UTC"), "4", None, {"rows": "period"})
    (folder / deployment.BUNDLE).write_text(json.dumps({**json.loads(text), **changed}))
    return folder


def test_a_bento_brings_its_own_names_and_model(tmp_path, champion):
    found = resolve({}, bundled(tmp_path / "model"))
    assert found.names == Names("boxed", "USD", "UTC")
    assert found.store is None
    assert found.scorer == tmp_path / "model" / "scorer"
    assert found.model_version == "4"
    assert champion == []


def test_settings_beside_a_bento_bring_the_store(tmp_path, champion):
    found = resolve(write(tmp_path / "etc"), bundled(tmp_path / "model"))
    assert found.names.name == "shop"
    assert found.store is not None
    assert found.model_version == "4"
    assert champion == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "is not TOML"),
        ('name = "shop"\n', "currency, timezone"),
        ("name = 1\ncurrency = 'EUR'\ntimezone = 'UTC'\n", "name"),
        (SETTINGS + "store = 3\n", "store"),
        (SETTINGS + "[value]\nmargin = -1\n", "value.margin"),
        (SETTINGS + '[value]\nmargin = "${NOT_SET_HERE}"\n', "NOT_SET_HERE"),
    ],
)
def test_settings_that_cannot_be_read_are_refused_in_words(tmp_path, text, said):
    with pytest.raises(ServingError, match=said):
        resolve(write(tmp_path, text))


SUBSCRIPTIONS = """
[sources.subscriptions]
uri = "${NOT_SET_HERE}/subscriptions.csv"
customer_id = "customer"
start = "started"
price = "price"
rows = "period"
terms = { Annual = "year" }
"""


def test_how_subscriptions_are_kept_comes_from_the_settings_or_the_bento(tmp_path, champion):
    kept = {"rows": "period", "terms": {"Annual": "year"}}
    box = bundled(tmp_path / "model")
    assert resolve(write(tmp_path / "etc", SETTINGS + SUBSCRIPTIONS)).billing == kept
    assert resolve(write(tmp_path / "etc", SETTINGS + SUBSCRIPTIONS), box).billing == kept
    assert resolve({}, box).billing == {"rows": "period"}
    assert resolve(write(tmp_path / "etc")).billing is None
    with pytest.raises(ServingError, match="missing or wrong: rows"):
        resolve(write(tmp_path / "etc", SETTINGS + SUBSCRIPTIONS.replace("period", "row")))


EVENTS = """
[sources.events]
uri = "${NOT_SET_HERE}/events.csv"
customer_id = "customer"
timestamp = "at"
kind = "kind"
kinds = { Rating = "satisfaction" }
"""


def test_own_words_for_kinds_come_from_the_settings_or_the_bento(tmp_path, champion):
    box = bundled(tmp_path / "model", kinds={"mark": "satisfaction"})
    etc = tmp_path / "etc"
    assert resolve(write(etc, SETTINGS + EVENTS), box).kinds == {"rating": "satisfaction"}
    assert resolve({}, box).kinds == {"mark": "satisfaction"}
    assert resolve(write(etc)).kinds == {}
    with pytest.raises(ServingError, match="missing or wrong: kinds"):
        resolve(write(etc, SETTINGS + EVENTS.replace("satisfaction", "joy")))


def test_nothing_to_serve_is_refused_in_words(tmp_path):
    with pytest.raises(ServingError, match="set REGULARS_CONFIG"):
        resolve({})
    with pytest.raises(ServingError, match="cannot be read"):
        resolve({"REGULARS_CONFIG": str(tmp_path / "none.toml")})
    with pytest.raises(ServingError, match="build the bento again"):
        resolve({}, bundled(tmp_path / "model", thresholds={"format": 99}))
    with pytest.raises(ServingError, match="build the bento again"):
        resolve({}, tmp_path)


def test_without_keys_the_service_binds_to_this_machine_only():
    assert surroundings.host({}) == "127.0.0.1"
    assert surroundings.host({"REGULARS_API_KEYS": " "}) == "127.0.0.1"
    assert surroundings.host({"REGULARS_API_KEYS": "risk:00"}) == "0.0.0.0"  # noqa: S104


def test_workers_are_counted_or_refused():
    assert surroundings.workers({}) == 2
    assert surroundings.workers({"REGULARS_WORKERS": "4"}) == 4
    for given in ("0", "-1", "many", ""):
        with pytest.raises(ValueError, match="REGULARS_WORKERS"):
            surroundings.workers({"REGULARS_WORKERS": given})


def test_the_environment_keeps_what_is_set():
    environ = {
        "OMP_WAIT_POLICY": "active",
        "REGULARS_METRICS_DIR": "/ours",
        "PROMETHEUS_MULTIPROC_DIR": "/everyones",
    }
    surroundings.prepare(environ)
    assert environ["OMP_WAIT_POLICY"] == "active"
    assert environ["BENTOML_DO_NOT_TRACK"] == "True"
    assert environ["PROMETHEUS_MULTIPROC_DIR"] == "/ours"
