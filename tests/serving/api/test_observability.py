"""What operators see: kinds and places, never words."""

from __future__ import annotations

import logging

import pytest
from pydantic import BaseModel, ValidationError

from serving.api import observability, routes
from serving.api.observability import Discreet, whereabouts


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_an_error_is_told_by_kind_and_place():
    told = whereabouts(raised(ValueError("of C-17")))
    assert told.startswith("ValueError at test_observability.py:")
    assert "C-17" not in told
    assert whereabouts(KeyError("C-17")) == "KeyError"


def record(error: Exception | None) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("x", logging.ERROR, "x", 1, "Exception on %s", ("/risk",), info)


def test_the_words_of_an_exception_leave_the_log():
    kept = record(raised(ValueError("of C-17")))
    assert Discreet().filter(kept)
    told = logging.Formatter().format(kept)
    assert told.startswith("Exception on /risk: ValueError at ")
    assert "C-17" not in told


def test_a_record_without_an_exception_stays():
    kept = record(None)
    assert Discreet().filter(kept)
    assert kept.getMessage() == "Exception on /risk"


def test_a_clients_mistake_is_no_error_of_the_service():
    class Asked(BaseModel):
        ids: list[str]

    with pytest.raises(ValidationError) as caught:
        Asked.model_validate({"C-17": 1})
    assert not Discreet().filter(record(caught.value))


def test_filters_are_added_once():
    observability.be_discreet()
    observability.be_discreet()
    filters = logging.getLogger("uvicorn.error").filters
    assert sum(isinstance(one, Discreet) for one in filters) == 1


def test_paths_become_routes():
    assert routes.of("/risk").path == "/risk"
    assert routes.of("/static/a/b.css").path == "/static/*"
    for path in ("/risk/17", "/customers/C-17", "//risk", "/RISK", "/statics", ""):
        assert routes.of(path).path == "other"


def test_the_report_is_in_prometheus_format(monkeypatch):
    from prometheus_client.parser import text_string_to_metric_families

    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    observability.ITEMS.labels("/risk", "answered").inc()
    families = text_string_to_metric_families(observability.report().decode())
    assert {family.name for family in families} >= {"regulars_items", "regulars_request_seconds"}
