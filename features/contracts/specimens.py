"""Values that could not be read, each with what was expected and which setting would read it.

In: the judged rows of a source. Out: for each reason of rejection one value as it stands in the
data, in a sentence; and a remark on each rejected row whose number has another decimal sign.
Nothing is computed but what `reports` and `rejects` compute anyway.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from features.compat import missing
from features.contracts.contract import (
    UNKNOWN_ARM,
    UNPARSEABLE_AMOUNT,
    UNPARSEABLE_COST,
    UNPARSEABLE_DATE,
    UNPARSEABLE_END,
    UNPARSEABLE_MARGIN,
    UNPARSEABLE_PRICE,
    UNPARSEABLE_VALUE,
    UNREADABLE_LABEL,
)
from features.opening.columns import is_number, trimmed
from features.opening.expressions import columns_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

# 1,234 may be a thousand written the English way.
_ENGLISH_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"
_LONGEST = 60
_NUMBERS = (
    (UNPARSEABLE_AMOUNT, "amount", "1234.50"),
    (UNPARSEABLE_MARGIN, "margin", "3.20 or -0.40"),
    (UNPARSEABLE_VALUE, "value", "4 or 4.5"),
    (UNPARSEABLE_PRICE, "price", "9.90"),
    (UNPARSEABLE_COST, "cost", "0.35"),
)
_OTHERS = (
    (UNPARSEABLE_DATE, "timestamp"),
    (UNPARSEABLE_DATE, "start"),
    (UNPARSEABLE_END, "end"),
    (UNREADABLE_LABEL, "label"),
    (UNKNOWN_ARM, "arm"),
)


@dataclass(frozen=True)
class Specimen:
    """A column in which values may stand that cannot be read.

    Parameters
    ----------
    key : str
        Settings key of the source.
    column : str
        As the source names it.
    reason : str
        Reason of rejection that it can be the cause of.
    expected : str
        What a value of it has to be, as the rest of a sentence about one that is not.
    comma : bool or None
        Whether a number of it has a decimal comma; None when it holds no numbers as text.
    """

    key: str
    column: str
    reason: str
    expected: str
    comma: bool | None = None

    @property
    def otherwise(self) -> str:
        """What to do about a number with the other decimal sign."""
        if self.comma:
            return f'for numbers with a decimal point remove decimal = "," from [{self.key}].'
        return f'for numbers with a decimal comma set decimal = "," in [{self.key}].'


def specimens(
    judged: ir.Table, settings: Any, *, key: str, commas: Container[str]
) -> list[Specimen]:
    """Columns of a source in which values may stand that cannot be read.

    Parameters
    ----------
    judged : ibis table
        As `features.contracts.contract` leaves it.
    settings : a section of `features.settings.Sources`
    key : str
        Settings key of the source.
    commas : container of str
        Columns whose text has a decimal comma.

    Returns
    -------
    list of Specimen
    """
    raw = judged.raw_.type()
    found = []
    for reason, setting in _OTHERS:
        name = getattr(settings, setting, None)
        if name is not None and name in raw.names:
            found.append(Specimen(key, name, reason, _expected(reason, settings, key)))
    for reason, setting, example in _NUMBERS:
        written = getattr(settings, setting, None)
        for name in () if written is None else columns_of(written, raw.names, f"{key}.{setting}"):
            if raw[name].is_string():
                comma = name in commas
                plain = 'a number such as 1.234,50, as decimal = "," is set' if comma else None
                expected = f". Expected {plain or f'a plain number such as {example}'}"
                found.append(Specimen(key, name, reason, expected, comma))
    return found


def measures(judged: ir.Table, found: Sequence[Specimen]) -> dict[str, Any]:
    """Reductions that give, for each specimen, the smallest value as text that was not read.

    Parameters
    ----------
    judged : ibis table
    found : sequence of Specimen

    Returns
    -------
    dict of str to ibis reduction
        ``specimen_<place>``, and ``other_<place>`` of those with the other decimal sign.
    """
    asked = {}
    for place, one in enumerate(found):
        written = judged.raw_[one.column].cast("string")
        rejected = judged.reason_ == one.reason
        if one.comma is not None:
            rejected = rejected & ~is_number(written, comma=one.comma)
            other = rejected & has_other_sign(written, comma=one.comma)
            asked[f"other_{place}"] = written.min(where=other)
        asked[f"specimen_{place}"] = written.min(where=rejected)
    return asked


def sentences(found: Sequence[Specimen], counts: Mapping[str, Any]) -> dict[str, str]:
    """What could not be read and what to do about it.

    Parameters
    ----------
    found : sequence of Specimen
    counts : mapping
        Values of `measures`.

    Returns
    -------
    dict of str to str
        Reason to a sentence or more; reasons without an example are left out.
    """
    said: dict[str, list[str]] = {}
    for place, one in enumerate(found):
        other, value = counts.get(f"other_{place}"), counts.get(f"specimen_{place}")
        if shown := other or value:
            more = f"; {one.otherwise}" if other else "."
            sentence = f"{one.column!r} holds for instance {shown[:_LONGEST]!r}{one.expected}"
            said.setdefault(one.reason, []).append(sentence + more)
    return {reason: " ".join(several) for reason, several in said.items()}


def remarks(rejected: ir.Table, found: Sequence[Specimen]) -> ir.StringValue:
    """What is wrong with each rejected row, where a setting would mend it.

    Parameters
    ----------
    rejected : ibis table
        Judged rows.
    found : sequence of Specimen

    Returns
    -------
    string column; null where there is nothing to say.
    """
    cases = [
        (
            (rejected.reason_ == one.reason)
            & ~is_number(rejected.raw_[one.column], comma=one.comma)
            & has_other_sign(rejected.raw_[one.column], comma=one.comma),
            f"{one.column!r}: {one.otherwise}",
        )
        for one in found
        if one.comma is not None
    ]
    return ibis.cases(*cases, else_=missing("string")) if cases else missing("string")


def has_other_sign(values: ir.StringValue, *, comma: bool) -> ir.BooleanValue:
    """Whether text would be a number with the other decimal sign.

    Parameters
    ----------
    values : string column
    comma : bool
        Whether numbers have a decimal comma; the other sign is a point then.

    Returns
    -------
    boolean column; null for null.
    """
    other = is_number(values, comma=not comma)
    return other if comma else other & ~trimmed(values).re_search(_ENGLISH_THOUSANDS)


def _expected(reason: str, settings: Any, key: str) -> str:
    if reason == UNREADABLE_LABEL:
        return ". Expected yes or no (also true/false, 1/0, y/n)"
    if reason == UNKNOWN_ARM:
        return (
            ". Expected treated or holdout; give yours one of them in "
            f'[{key}], as arms = {{ control = "holdout" }}'
        )
    if settings.timestamp_format is None:
        return (
            ". Expected an ISO date such as 2024-03-31; for another way of writing set "
            f'timestamp_format in [{key}], for 31.03.2024 to "%d.%m.%Y"'
        )
    return (
        f", which does not fit timestamp_format = {settings.timestamp_format!r} in [{key}]; "
        "set it to how the dates are written"
    )
