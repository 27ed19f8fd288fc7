"""The contract of the customers source: one row per customer, attributes and a label.

As in `features.contracts.contract`, every row is accepted or rejected with one reason. An attribute
is a number when its column is numeric, or is text that reads wholly as numbers; else it is text.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Any

import ibis

from features.compat import arrow, is_finite, missing
from features.contracts.contract import (
    DUPLICATE,
    NO_CUSTOMER,
    UNREADABLE_LABEL,
    finish,
    first_reason,
    no_customer,
    raw_columns,
)
from features.errors import InputError
from features.opening.columns import is_blank, is_number, names, number, text
from features.opening.given import settings_column

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.opening.sources import Opened
    from features.settings import CustomersSource

_KEY = "sources.customers"
#: What a column that says yes or no can hold, in small letters.
YES = ("true", "yes", "1", "y", "t")
NO = ("false", "no", "0", "n", "f")


def customers(opened: Opened, source: CustomersSource) -> ir.Table:
    """Judge customers.

    Of rows with the same id that are otherwise in order the greatest by all raw columns, as
    text, is kept: the choice is the same whatever the order of the rows.

    Parameters
    ----------
    opened : Opened
        Small enough to look at twice: the types of the attributes are read off the values.
    source : CustomersSource

    Returns
    -------
    ibis table
        ``customer_id``, ``attribute_<column>`` and ``permission_<column>`` (string or float64),
        ``churned``, ``account`` (string) where the source names one, ``reason_``, ``row_``,
        ``zoned_``, ``raw_``.

    Raises
    ------
    InputError
        If a column is missing, or no value of the label says yes or no.
    """
    raw = opened.table
    named = {"attribute": source.attributes, "permission": source.permissions}
    columns = {
        (kind, name): settings_column(opened, name, f"{_KEY}.{kind}s")
        for kind, names_ in named.items()
        for name in names_
    }
    identity = settings_column(opened, source.customer_id, f"{_KEY}.customer_id")
    label, no_label = _label(opened, source)
    account = {} if source.account is None else {"account": _account(opened, source.account)}
    read = {name: values for (_, name), values in columns.items()}
    numeric = _numeric(raw, read, opened.commas)
    attributes = {
        f"{kind}_{name}": _attribute(values, name in numeric, name in opened.commas)
        for (kind, name), values in columns.items()
    }
    rows = raw.select(
        customer_id=text(identity),
        churned=label,
        no_label_=no_label,
        order_=ibis.array([raw[name].cast("string").fill_null("") for name in raw.columns]),
        **attributes,
        **account,
        **raw_columns(raw),
    )
    rows = rows.mutate(
        early_=first_reason(
            [
                (no_customer(rows.customer_id), NO_CUSTOMER),
                (rows.churned.isnull() & ~rows.no_label_, UNREADABLE_LABEL),
            ]
        )
    )
    same = ibis.window(group_by=[rows.customer_id, rows.early_], order_by=rows.order_.desc())
    again = ibis.row_number().over(same) > 0
    judged = rows.mutate(
        reason_=ibis.cases(
            (rows.early_.notnull(), rows.early_), (again, DUPLICATE), else_=missing("string")
        )
    )
    return finish(judged, ("customer_id", *attributes, "churned", *account))


def _account(opened: Opened, name: str) -> Any:
    return text(settings_column(opened, name, f"{_KEY}.account"))


def _label(opened: Opened, source: CustomersSource) -> tuple[Any, Any]:
    """Read the label, and whether there is none; refuse a column that never says yes or no."""
    if source.label is None:
        return missing("boolean"), ibis.literal(True)
    values = settings_column(opened, source.label, f"{_KEY}.label")
    shown = text(values)
    written = shown.lower()
    label = ibis.cases(
        (written.isin(YES), True), (written.isin(NO), False), else_=ibis.null("boolean")
    )
    seen = opened.table.select(written=shown, label=label)
    counts = arrow(seen.aggregate(read=seen.label.count(), there=seen.written.count()))
    if counts["there"][0].as_py() and not counts["read"][0].as_py():
        found = arrow(seen.select("written").distinct().order_by("written").limit(5))
        raise InputError(
            f"{_KEY}.label = {source.label!r} holds {names(found['written'].to_pylist())}; "
            "expected yes or no (also true/false, 1/0, y/n), yes meaning that the customer left."
        )
    return label, is_blank(values)


def _numeric(raw: ir.Table, columns: dict[str, Any], commas: Container[str]) -> frozenset[str]:
    """Attributes that are numbers: by type, or because every value that is there is one."""
    typed = {name for name, values in columns.items() if values.type().is_numeric()}
    texts = {name: values for name, values in columns.items() if values.type().is_string()}
    if not texts:
        return frozenset(typed)
    measures = {}
    for place, (name, values) in enumerate(texts.items()):
        there = ~is_blank(values)
        measures[f"there_{place}"] = there.sum()
        measures[f"numbers_{place}"] = (there & is_number(values, comma=name in commas)).sum()
    counts = arrow(raw.aggregate(**measures)).to_pylist()[0]
    for place, name in enumerate(texts):
        if counts[f"there_{place}"] and counts[f"there_{place}"] == counts[f"numbers_{place}"]:
            typed.add(name)
    return frozenset(typed)


def _attribute(values: ir.Column, is_numeric: bool, comma: bool) -> Any:
    if not is_numeric:
        return text(values)
    read = number(values, comma=comma)
    return ibis.cases((is_finite(read), read), else_=missing("float64"))
