"""Raw columns by name, and their text and numbers.

Every function takes an opened table and a column's name as written in the settings, and gives
an expression of it. Nothing is computed. Blank text is null throughout, and text is trimmed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import ibis
import ibis.expr.types as ir

from features.compat import is_finite
from features.errors import InputError

# Plain numbers only: the engines also read "1_000", "1.5d" or "0x10", each its own way.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
# The same with a decimal comma, or dots between whole groups of three. "0.123" is no such group:
# it is a decimal point that strayed in, and would be read a thousand times too large.
_COMMA_NUMBER = (
    r"^[+-]?([1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]*)?"
    r"|([0-9]+,?[0-9]*|,[0-9]+)([eE][+-]?[0-9]{1,3})?)$"
)
_NON_FINITE = r"^[+-]?(inf|infinity|nan)$"
# Whole numbers that went through a float column somewhere: 17850.0 is customer 17850.
_SPACES = (" ", "\t", "\n", "\r")
_WHOLE_AS_FLOAT = r"^[+-]?[0-9]+\.00?$"


def names(columns: Iterable[str]) -> str:
    """Names as a sentence lists them: quoted, the first forty.

    Parameters
    ----------
    columns : iterable of str

    Returns
    -------
    str
    """
    shown = [repr(column) for column in columns]
    more = f" and {len(shown) - 40} more" if len(shown) > 40 else ""
    return ", ".join(shown[:40]) + more


def nearest(name: str, columns: Iterable[str]) -> str:
    """Suggestion for a name that is not there: ``" Did you mean 'Price'?"``.

    Parameters
    ----------
    name : str
    columns : iterable of str
        Names there are.

    Returns
    -------
    str
        Empty when none is near.
    """
    by_lower = {column.lower(): column for column in columns}
    found = difflib.get_close_matches(name.lower().strip(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[found[0]]!r}?" if found else ""


def column(table: ir.Table, name: str, setting: str) -> ir.Column:
    """Column of a table, or an error that lists the columns there are.

    Parameters
    ----------
    table : ibis table
    name : str
        Name as in the settings; exact, capitals included.
    setting : str
        Settings key that names it, for the error.

    Returns
    -------
    ibis column

    Raises
    ------
    InputError
        If the table has no such column.
    """
    if name not in table.columns:
        raise InputError(
            f"{setting} = {name!r}: no such column.{nearest(name, table.columns)} "
            f"The columns are {names(table.columns)}."
        )
    return table[name]


def text(values: ir.Column) -> ir.StringValue:
    """Values as trimmed text; blank is null, whole numbers lose their decimal point.

    An id must not depend on whether a column was read as text, integer or float: 17850,
    17850.0 and "17850.0" are all "17850".

    Parameters
    ----------
    values : column of any type

    Returns
    -------
    string column
    """
    kind = values.type()
    if kind.is_integer() or kind.is_boolean():
        return values.cast("string")
    if kind.is_floating():
        return _float_text(values.cast("float64"))
    written = trimmed(values)
    integer = ibis.cases(
        (written.re_search(_WHOLE_AS_FLOAT), written.re_extract(r"^([+-]?[0-9]+)\.", 1)),
        else_=written,
    )
    # The pattern is dear: only the few that end like this are looked at closely.
    ends_so = written.endswith(".0") | written.endswith(".00")
    return ibis.cases((ends_so, integer), else_=written)


def trimmed(values: ir.Column) -> ir.StringValue:
    """Values as text without white space around them; blank is null.

    Parameters
    ----------
    values : column of any type

    Returns
    -------
    string column
    """
    if not values.type().is_string():
        values = values.cast("string")
    # Trimming is dear and seldom needed. White space sorts before "!", as does the empty text.
    untidy = values < "!"
    for space in _SPACES:
        untidy = untidy | values.endswith(space)
    # By pattern, as Ibis's own `strip` takes "f" and "v" off on Spark, which knows no "\\f".
    tidy = values.re_replace(r"^\s+|\s+$", "").nullif("")
    return ibis.cases((untidy, tidy), else_=values)


def _float_text(values: ir.FloatingValue) -> ir.StringValue:
    # Beyond 2**53 a float does not hold every integer, and at 2**63 the cast would fail.
    holds = is_finite(values) & (values.abs() < 2.0**53)
    bounded = ibis.cases((holds, values), else_=ibis.null("float64"))
    integers = bounded.cast("int64")
    return ibis.cases(
        (integers.cast("float64") == bounded, integers.cast("string")),
        (is_finite(values), values.cast("string")),
        else_=ibis.null("string"),
    )


def number(values: ir.Column, *, comma: bool = False) -> ir.FloatingValue:
    """Values as float64; text that is not a plain number is null.

    "1,234.50", "£5" and "five" are null; "inf" and "nan" are kept for the contract to reject.

    Parameters
    ----------
    values : numeric, boolean or text column
    comma : bool
        Whether text has a decimal comma, and dots between thousands if at all: "-1.234,50".

    Returns
    -------
    float64 column
    """
    kind = values.type()
    if kind.is_numeric() or kind.is_boolean():
        return values.cast("float64")
    written = trimmed(values)
    non_finite = written.lower().re_search(_NON_FINITE)
    pattern, plain = _NUMBER, written
    if comma:
        pattern, plain = _COMMA_NUMBER, written.replace(".", "").replace(",", ".")
    return ibis.cases(
        (written.re_search(pattern), plain.try_cast("float64")),
        else_=ibis.cases((non_finite, written.try_cast("float64")), else_=ibis.null("float64")),
    )


def is_number(values: ir.StringValue, *, comma: bool = False) -> ir.BooleanValue:
    """Whether text is a plain number, such as "12", " -0.5 " or "1e3".

    Parameters
    ----------
    values : string column
    comma : bool
        As for `number`.

    Returns
    -------
    boolean column; null for null.
    """
    return trimmed(values).re_search(_COMMA_NUMBER if comma else _NUMBER)


def is_blank(values: ir.Column) -> ir.BooleanValue:
    """Whether values are null or, as text, nothing but white space.

    Parameters
    ----------
    values : column of any type

    Returns
    -------
    boolean column, never null.
    """
    return trimmed(values).isnull() if values.type().is_string() else values.isnull()
