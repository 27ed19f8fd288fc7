"""Champions come and go with a reason, and the history tells it all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from training.errors import RegistryError
from training.runs import registry

NOW = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A fresh SQLite store."""
    return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"


@pytest.fixture
def shop(uri: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int], str]:
    """Registers so many versions of a business named after the test, and gives its name."""

    def make(versions: int) -> str:
        api = registry.client(uri)
        name = request.node.name
        experiment = api.create_experiment(name, tmp_path.as_uri())
        for _ in range(versions):
            run = api.create_run(experiment).info
            registry.register(
                uri, name, run_id=run.run_id, source=run.artifact_uri, tags={"k": "v"}
            )
        return name

    return make


def _reign(uri: str, name: str) -> str | None:
    return registry.champion_version(uri, name)


def test_a_new_version_speaks_for_nobody(uri: str, shop: Callable[[int], str]) -> None:
    name = shop(2)
    assert _reign(uri, name) is None
    assert registry.champion(uri, name) is None
    newest, older = registry.versions(uri, name)
    assert (newest.version, newest.aliases) == ("2", ("challenger",))
    assert (older.version, older.aliases, older.tags) == ("1", (), {"k": "v"})


def test_each_change_is_kept_with_time_from_to_and_why(
    uri: str, shop: Callable[[int], str]
) -> None:
    name = shop(2)
    registry.promote(uri, name, "1", why="first", now=NOW)
    registry.promote(uri, name, "2", why="better", now=NOW + timedelta(days=1))
    registry.rollback(uri, name, why="complaints", now=NOW + timedelta(days=2))
    told = [(c.kind, c.from_version, c.to_version, c.why) for c in registry.history(uri, name)]
    assert told == [
        ("promotion", None, "1", "first"),
        ("promotion", "1", "2", "better"),
        ("rollback", "2", "1", "complaints"),
    ]
    assert registry.history(uri, name)[2].at == "2024-06-03T00:00:00+00:00"
    assert _reign(uri, name) == "1"


def test_rolling_back_twice_goes_back_two_champions(uri: str, shop: Callable[[int], str]) -> None:
    name = shop(3)
    for version in ("1", "2", "3"):
        registry.promote(uri, name, version, why="next", now=NOW)
    assert registry.rollback(uri, name, why="bad", now=NOW).to_version == "2"
    assert registry.rollback(uri, name, why="bad too", now=NOW).to_version == "1"
    with pytest.raises(RegistryError, match="no former champion"):
        registry.rollback(uri, name, why="worse", now=NOW)


def test_a_promoted_challenger_is_no_challenger_any_more(
    uri: str, shop: Callable[[int], str]
) -> None:
    name = shop(1)
    registry.promote(uri, name, "1", why="first", now=NOW)
    assert registry.versions(uri, name)[0].aliases == ("champion",)


def test_a_change_that_was_killed_before_the_alias_moved_is_not_told_as_done(
    uri: str, shop: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    name = shop(2)
    registry.promote(uri, name, "1", why="first", now=NOW)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(MlflowClient, "set_registered_model_alias", _killed)
        registry.promote(uri, name, "2", why="never", now=NOW)
    assert _reign(uri, name) == "1"
    assert [c.why for c in registry.reigns(uri, name)] == ["first"]
    registry.promote(uri, name, "2", why="at last", now=NOW)
    assert [c.why for c in registry.reigns(uri, name)] == ["first", "at last"]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("version", "why", "told"),
    [("9", "x", "no version '9'"), ("1", "  ", "needs a reason"), ("2", "x", "champion already")],
)
def test_a_change_that_makes_no_sense_is_refused(
    uri: str, shop: Callable[[int], str], version: str, why: str, told: str
) -> None:
    name = shop(2)
    registry.promote(uri, name, "2", why="first", now=NOW)
    with pytest.raises(RegistryError, match=told):
        registry.promote(uri, name, version, why=why, now=NOW)
    assert _reign(uri, name) == "2"


def test_a_business_that_never_trained_has_no_versions_and_no_history(uri: str) -> None:
    assert registry.versions(uri, "nobody") == []
    assert registry.history(uri, "nobody") == []
    assert registry.champion(uri, "nobody") is None


def test_files_that_were_removed_are_told_in_a_sentence(
    uri: str, shop: Callable[[int], str]
) -> None:
    name = shop(1)
    registry.promote(uri, name, "1", why="first", now=NOW)
    with pytest.raises(RegistryError, match="cannot be read"):
        registry.champion(uri, name)


def test_mlflows_own_address_is_as_it_was(uri: str) -> None:
    import mlflow

    before = mlflow.get_tracking_uri()
    with registry.pointed(uri):
        assert mlflow.get_tracking_uri() == uri
    assert mlflow.get_tracking_uri() == before
