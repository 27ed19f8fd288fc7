"""Names in an address: those that are documented are taken, others are refused with what is."""

from __future__ import annotations

import pytest

from serving.api import documentation, parameters, query
from serving.api.failures import Failure
from serving.api.routes import ROUTES
from serving.workbench import subscription


def test_every_path_that_is_asked_by_get_has_its_names_here():
    apart = {"/metrics", "/livez", "/readyz"}
    document = documentation.document()["paths"]
    asked = {path: told["get"] for path, told in document.items() if "get" in told}
    assert set(query.PARAMETERS) == set(asked) - apart
    for path, told in asked.items():
        assert told.get("parameters", []) == list(query.PARAMETERS.get(path, ()))


def test_paths_with_a_page_are_paths():
    assert query.PAGED <= set(query.PARAMETERS) <= set(ROUTES)


@pytest.mark.parametrize("name", [one["name"] for one in query.PARAMETERS["/export"]])
def test_an_export_reads_every_name_that_it_takes(name):
    if name == "format":
        return
    if name == subscription.PLAN:
        assert subscription.parted([(name, "1")]) == ("1", [])
        return
    value = {"stage": "loyal", "tier": "key", "sort": "-clv"}.get(name, "1")
    assert parameters.read([(name, value)]) != parameters.read([])


def test_a_name_is_said_back_only_where_it_reads_like_one():
    told = query.refused(["stagee", "C-17", "x" * 41], ["stage"])
    assert told.status == 400
    assert "`stagee`" in told.message
    assert "expected stage." in told.message
    assert "C-17" not in told.message
    assert "xxx" not in told.message


def test_a_misspelt_filter_is_named():
    with pytest.raises(Failure) as caught:
        parameters.read([("stagee", "loyal")])
    assert "`stagee`" in caught.value.message
    assert "max_<column>" in caught.value.message
