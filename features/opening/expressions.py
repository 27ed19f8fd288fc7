"""Arithmetic and filters of the settings, as expressions of the engine.

`amount = "Quantity * Price"` and `where = "Country = 'France'"` are parsed, every piece is
checked against a short list of what is allowed, and an Ibis expression is built from the
pieces. No text of the settings ever reaches an engine as SQL.

Numbers are float64 and text columns are read as numbers where they meet one; a value that
cannot be read is null. A division by zero is null.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import sqlglot
from sqlglot import exp

from features.compat import ratio
from features.errors import InputError, SettingsError
from features.opening.columns import names as listed
from features.opening.columns import nearest, number

_LONGEST = 2_000

_ARITHMETIC: dict[type[exp.Expression], Callable[[Any, Any], Any]] = {
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
    exp.Div: ratio,
}
_COMPARISONS: dict[type[exp.Expression], Callable[[Any, Any], Any]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
_NUMBERS = "a column, a number, + - * / and parentheses"
_FILTERS = (
    "columns, numbers, 'text', true, false, + - * /, parentheses, = <> < <= > >=, and, or, not, "
    "in, like, between, is null, lower() and upper()"
)


def amount(
    table: ir.Table, setting: str, key: str, *, commas: Container[str] = ()
) -> ir.FloatingValue:
    """Number that a setting describes: a column, or arithmetic over columns.

    Parameters
    ----------
    table : ibis table
    setting : str
        Name of a column, or arithmetic such as ``Quantity * Price`` or ``"Unit Price" * Qty``.
    key : str
        Settings key, for errors.
    commas : container of str
        Columns whose text has a decimal comma; numbers within the setting have a point.

    Returns
    -------
    float64 column; null where a piece is null or not a number.

    Raises
    ------
    InputError
        If a column is missing.
    SettingsError
        If the text is not such arithmetic.
    """
    if setting in table.columns:
        return number(table[setting], comma=setting in commas)
    tree = _parse(setting, table.columns, key, _NUMBERS)
    value = _number(tree, _Scope(table, setting, key, _NUMBERS, commas))
    if not any(tree.find_all(exp.Column)):
        raise SettingsError(f"{key} = {setting!r} names no column; name at least one.")
    return value


def condition(
    table: ir.Table, setting: str, key: str, *, commas: Container[str] = ()
) -> ir.BooleanValue:
    """Condition that a `where` setting describes. Moments with a zone are compared in UTC.

    Parameters
    ----------
    table : ibis table
    setting : str
        Boolean expression such as ``Quantity > 0 and "Ship Country" in ('France', 'Spain')``.
    key : str
        Settings key, for errors.
    commas : container of str
        As for `amount`.

    Returns
    -------
    boolean column

    Raises
    ------
    InputError
        If a column is missing.
    SettingsError
        If the text is not such a condition.
    """
    tree = _parse(setting, table.columns, key, _FILTERS)
    return _boolean(tree, _Scope(table, setting, key, _FILTERS, commas))


def columns_of(setting: str, columns: Sequence[str], key: str) -> tuple[str, ...]:
    """Names of the columns that an amount or a condition reads, each once.

    Parameters
    ----------
    setting : str
    columns : sequence of str
        Columns there are.
    key : str
        Settings key, for errors.

    Returns
    -------
    tuple of str
        In order of appearance; names that are not columns are left out.
    """
    if setting in columns:
        return (setting,)
    tree = _parse(setting, columns, key, _FILTERS)
    found = (node.name for node in tree.find_all(exp.Column, bfs=False))
    return tuple(dict.fromkeys(name for name in found if name in columns))


@dataclass(frozen=True)
class _Scope:
    """What the translation of one setting needs to know, mostly for its errors."""

    table: ir.Table
    setting: str
    key: str
    allowed: str
    commas: Container[str]

    def column(self, node: exp.Expression) -> ir.Column:
        name = node.name
        if name in self.table.columns and not node.args.get("table"):
            return self.table[name]
        piece = node.sql()
        raise InputError(
            f"{self.key} = {self.setting!r}: {piece} is no column."
            f"{nearest(name, self.table.columns)} The columns are {listed(self.table.columns)}."
        )

    def refuse(self, node: exp.Expression) -> SettingsError:
        return SettingsError(
            f"{self.key} = {self.setting!r}: {node.sql()!r} is not allowed here. "
            f"Allowed are {self.allowed}."
        )


def _parse(setting: str, columns: Sequence[str], key: str, allowed: str) -> exp.Expression:
    if len(setting) > _LONGEST:
        raise SettingsError(f"{key} has {len(setting)} characters; {_LONGEST} are allowed.")
    try:
        trees = sqlglot.parse(setting, dialect="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise SettingsError(
            f"{key} = {setting!r} cannot be read{_place(error)}.{_quoting(setting, columns)} "
            f"Allowed are {allowed}."
        ) from None
    if len(trees) != 1 or trees[0] is None:
        raise SettingsError(f"{key} = {setting!r} is not one expression. Allowed are {allowed}.")
    return trees[0]


def _place(error: Exception) -> str:
    details = getattr(error, "errors", None) or [{}]
    near = details[0].get("highlight")
    return f" at {near!r}" if near else ""


def _quoting(setting: str, columns: Sequence[str]) -> str:
    """Remind to quote the columns with spaces or signs that the setting seems to mean."""
    meant = [
        c for c in columns if not c.isidentifier() and c in setting and f'"{c}"' not in setting
    ]
    return f" Put double quotes around {listed(meant)}." if meant else ""


def _number(node: exp.Expression, scope: _Scope) -> Any:
    """Translate a piece that has to be a number."""
    if isinstance(node, exp.Paren):
        return _number(node.this, scope)
    if isinstance(node, exp.Column):
        return number(scope.column(node), comma=node.name in scope.commas)
    if isinstance(node, exp.Literal) and not node.is_string:
        return ibis.literal(_value(node, scope), "float64")
    if isinstance(node, exp.Boolean) and scope.allowed is _FILTERS:
        return ibis.literal(float(node.this), "float64")
    if isinstance(node, exp.Neg):
        return -_number(node.this, scope)
    if type(node) in _ARITHMETIC:
        left, right = _number(node.this, scope), _number(node.expression, scope)
        return _ARITHMETIC[type(node)](left, right)
    raise scope.refuse(node)


def _value(node: exp.Literal, scope: _Scope) -> float:
    try:
        return float(node.this)
    except ValueError:
        raise scope.refuse(node) from None


def _boolean(node: exp.Expression, scope: _Scope) -> Any:
    """Translate a piece that has to be true or false."""
    if isinstance(node, exp.Paren):
        return _boolean(node.this, scope)
    if isinstance(node, exp.And):
        return _boolean(node.this, scope) & _boolean(node.expression, scope)
    if isinstance(node, exp.Or):
        return _boolean(node.this, scope) | _boolean(node.expression, scope)
    if isinstance(node, exp.Not):
        return ~_boolean(node.this, scope)
    if isinstance(node, exp.Column) and scope.column(node).type().is_boolean():
        return scope.column(node)
    if type(node) in _COMPARISONS:
        return _compare(type(node), node.this, node.expression, scope)
    return _predicate(node, scope)


def _predicate(node: exp.Expression, scope: _Scope) -> Any:
    """Translate `in`, `between`, `like` and `is null`."""
    if isinstance(node, exp.In) and node.expressions and not node.args.get("query"):
        tests = [_compare(exp.EQ, node.this, item, scope) for item in node.expressions]
        return _any(iter(tests))
    if isinstance(node, exp.Between) and not node.args.get("symmetric"):
        low = _compare(exp.GTE, node.this, node.args["low"], scope)
        return low & _compare(exp.LTE, node.this, node.args["high"], scope)
    if isinstance(node, exp.Like) and _is_text(node.expression):
        matches = _text(node.this, scope).like(node.expression.this)
        return ~matches if node.args.get("negate") else matches
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return _operand(node.this, scope).isnull()
    raise scope.refuse(node)


def _any(tests: Iterator[Any]) -> Any:
    whole = next(tests)
    for test in tests:
        whole = whole | test
    return whole


def _compare(
    kind: type[exp.Expression], left: exp.Expression, right: exp.Expression, scope: _Scope
) -> Any:
    """Compare as moments, as text or as numbers, whichever the two sides are."""
    compare = _COMPARISONS[kind]
    for one, other in ((left, right), (right, left)):
        if _is_text(other) and (moment := _moment(one, scope)) is not None:
            literal = ibis.literal(_instant(other, scope), "timestamp")
            return compare(moment, literal) if one is left else compare(literal, moment)
    if _reads_as_text(left, scope) and _reads_as_text(right, scope):
        return compare(_text(left, scope), _text(right, scope))
    return compare(_numeric(left, scope), _numeric(right, scope))


def _moment(node: exp.Expression, scope: _Scope) -> Any:
    if not isinstance(node, exp.Column):
        return None
    column = scope.column(node)
    return column.cast("timestamp") if column.type().is_temporal() else None


def _instant(node: exp.Expression, scope: _Scope) -> datetime:
    try:
        return datetime.fromisoformat(node.this).replace(tzinfo=None)
    except ValueError:
        raise SettingsError(
            f"{scope.key} = {scope.setting!r}: {node.this!r} is compared with a date; "
            "write it as '2024-03-01' or '2024-03-01 12:00:00'."
        ) from None


def _is_text(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _reads_as_text(node: exp.Expression, scope: _Scope) -> bool:
    if isinstance(node, exp.Paren):
        return _reads_as_text(node.this, scope)
    if isinstance(node, exp.Column):
        return bool(scope.column(node).type().is_string())
    return _is_text(node) or isinstance(node, (exp.Lower, exp.Upper))


def _numeric(node: exp.Expression, scope: _Scope) -> Any:
    """Number of a side of a comparison; the text '5' beside a number column is a number."""
    if not _is_text(node):
        return _number(node, scope)
    try:
        return ibis.literal(float(node.this), "float64")
    except ValueError:
        raise SettingsError(
            f"{scope.key} = {scope.setting!r}: the text {node.this!r} is compared with a number."
        ) from None


def _text(node: exp.Expression, scope: _Scope) -> Any:
    if isinstance(node, exp.Paren):
        return _text(node.this, scope)
    if isinstance(node, (exp.Lower, exp.Upper)):
        inner = _text(node.this, scope)
        return inner.lower() if isinstance(node, exp.Lower) else inner.upper()
    if _is_text(node):
        return ibis.literal(node.this, "string")
    if isinstance(node, exp.Column):
        column = scope.column(node)
        return column if column.type().is_string() else column.cast("string")
    raise scope.refuse(node)


def _operand(node: exp.Expression, scope: _Scope) -> Any:
    if isinstance(node, exp.Paren):
        return _operand(node.this, scope)
    return scope.column(node) if isinstance(node, exp.Column) else _number(node, scope)
