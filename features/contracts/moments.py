"""Moments of purchase and of contact, in business local time.

Dates written as text are read once and strictly: an ISO date, or an ISO date-time with `T` or a
space, an optional fraction and an optional offset; or exactly the `timestamp_format` of the
settings. An instant (a column with a time zone, or a text with an offset) becomes the wall clock
of the business at that instant; a moment without zone already is the business's wall clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt

from features.compat import Engine, local_time
from features.errors import InputError, SettingsError
from features.opening.columns import text, trimmed

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
_OFFSET = r"(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_ISO = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]{_TIME}{_OFFSET}?)?$"
_ZONED = rf"{_OFFSET}$"
_DATE_LENGTH = 10


@dataclass(frozen=True)
class _Directive:
    """A strptime directive: what it matches, and Spark's pattern, alone and beside another."""

    alone: str
    beside: str
    spark: tuple[str, str] | None = None


# Beside another directive a number has its full width: 2024031 is no %Y%m%d.
_DIRECTIVES = {
    "%Y": _Directive("[0-9]{4}", "[0-9]{4}", ("yyyy", "yyyy")),
    "%y": _Directive("[0-9]{2}", "[0-9]{2}"),
    "%m": _Directive("[0-9]{1,2}", "[0-9]{2}", ("M", "MM")),
    "%d": _Directive("[0-9]{1,2}", "[0-9]{2}", ("d", "dd")),
    "%j": _Directive("[0-9]{1,3}", "[0-9]{3}"),
    "%H": _Directive("[0-9]{1,2}", "[0-9]{2}", ("H", "HH")),
    "%I": _Directive("[0-9]{1,2}", "[0-9]{2}", ("h", "hh")),
    "%M": _Directive("[0-9]{1,2}", "[0-9]{2}", ("m", "mm")),
    "%S": _Directive("[0-9]{1,2}", "[0-9]{2}", ("s", "ss")),
    "%f": _Directive("[0-9]{1,6}", "[0-9]{1,6}"),
    "%p": _Directive("[AaPp][Mm]", "[AaPp][Mm]", ("a", "a")),
    "%b": _Directive("[A-Za-z]{3}", "[A-Za-z]{3}", ("MMM", "MMM")),
    "%B": _Directive("[A-Za-z]{3,9}", "[A-Za-z]{3,9}", ("MMMM", "MMMM")),
    "%z": _Directive("[+-][0-9]{4}", "[+-][0-9]{4}", ("xx", "xx")),
}
# As spreadsheets and other languages write them.
_LETTERS = {
    **dict.fromkeys(("yyyy", "jjjj"), "%Y"),
    **dict.fromkeys(("yy", "jj"), "%y"),
    **dict.fromkeys(("m", "mm"), "%m"),
    **dict.fromkeys(("d", "dd", "t", "tt"), "%d"),
    **dict.fromkeys(("h", "hh"), "%H"),
    **dict.fromkeys(("s", "ss"), "%S"),
    "mi": "%M",
    "mmm": "%b",
    "mmmm": "%B",
    "yyyymmdd": "%Y%m%d",
    "ddmmyyyy": "%d%m%Y",
}


@ibis.udf.scalar.builtin(name="try_strptime", signature=((dt.string, dt.string), dt.timestamp))
def _duckdb_wall(values, format_):  # type: ignore[no-untyped-def]
    """`try_strptime` of DuckDB with a format without zone."""


@ibis.udf.scalar.builtin(
    name="try_strptime", signature=((dt.string, dt.string), dt.Timestamp(timezone="UTC"))
)
def _duckdb_instant(values, format_):  # type: ignore[no-untyped-def]
    """`try_strptime` of DuckDB with a format with `%z`."""


@ibis.udf.scalar.builtin(name="try_to_timestamp", signature=((dt.string, dt.string), dt.timestamp))
def _spark_moment(values, format_):  # type: ignore[no-untyped-def]
    """`try_to_timestamp` of Spark: an instant, shown in the session's UTC."""


@dataclass(frozen=True)
class Moments:
    """Moments of a column.

    Parameters
    ----------
    local : timestamp column
        Wall clock of the business, without zone; null where it cannot be read.
    zoned : boolean column
        Whether the row told its zone.
    blank : boolean column
        Whether there was nothing to read.
    """

    local: ir.TimestampValue
    zoned: ir.BooleanValue
    blank: ir.BooleanValue


def moments(
    values: ir.Column,
    *,
    key: str,
    timezone: str,
    engine: Engine,
    is_instant: bool,
    format_: str | None,
) -> Moments:
    """Read a column of moments.

    Parameters
    ----------
    values : column
        Dates, timestamps or text; numbers only with a format (20240301).
    key : str
        Settings key that names the column, for errors.
    timezone : str
        IANA name of the business time zone.
    engine : {"duckdb", "spark"}
    is_instant : bool
        Whether a timestamp column holds instants rather than wall-clock times.
    format_ : str or None
        strptime format of text and numbers; ISO 8601 when None.

    Returns
    -------
    Moments

    Raises
    ------
    InputError
        If the column is of a type that holds no moments.
    SettingsError
        If the format has a directive that is not known.
    """
    kind = values.type()
    if kind.is_date() or kind.is_timestamp():
        local = _wall_clock(values, timezone, engine) if is_instant else values.cast("timestamp")
        return Moments(local, ibis.literal(is_instant), values.isnull())
    if not (kind.is_string() or (kind.is_numeric() and format_ is not None)):
        raise InputError(
            f"{key}: the column is of type {kind}; expected dates, timestamps or text. "
            "For numbers such as 20240301 set timestamp_format = '%Y%m%d'."
        )
    written = text(values) if kind.is_numeric() else trimmed(values)
    blank = written.isnull()
    if format_ is None:
        return _iso(written, blank, timezone, engine)
    return _formatted(written, blank, timezone, engine, format_, key)


def _iso(written: ir.StringValue, blank: ir.BooleanValue, timezone: str, engine: Engine) -> Moments:
    # The engines drop an offset when asked for a plain timestamp: it is looked at first.
    valid = written.re_search(_ISO)
    zoned = valid & (written.length() > _DATE_LENGTH) & written.re_search(_ZONED)
    plain = ibis.cases((valid & ~zoned, written), else_=ibis.null("string")).try_cast("timestamp")
    offset = ibis.cases((zoned, written), else_=ibis.null("string"))
    if engine == "spark":
        instant = offset.try_cast("timestamp")
    else:
        instant = offset.try_cast(dt.Timestamp(timezone="UTC"))
    return Moments(ibis.coalesce(local_time(instant, timezone, engine), plain), zoned, blank)


def _formatted(
    written: ir.StringValue,
    blank: ir.BooleanValue,
    timezone: str,
    engine: Engine,
    format_: str,
    key: str,
) -> Moments:
    pieces = _pieces(format_, key)
    # The engines are lenient about widths and spaces, each in its own way.
    fits = written.re_search(_pattern(pieces))
    written = ibis.cases((fits, written), else_=ibis.null("string"))
    zoned = "%z" in pieces
    if engine == "spark":
        local = _spark_moment(written, ibis.literal(_spark_format(pieces, key)))
        local = local_time(local, timezone, engine) if zoned else local
    elif zoned:
        local = local_time(_duckdb_instant(written, ibis.literal(format_)), timezone, engine)
    else:
        local = _duckdb_wall(written, ibis.literal(format_))
    return Moments(local, ibis.literal(zoned), blank)


def _wall_clock(values: ir.TimestampValue, timezone: str, engine: Engine) -> ir.TimestampValue:
    if engine == "spark":
        return local_time(values, timezone, engine)
    return local_time(values.cast(dt.Timestamp(timezone="UTC")), timezone, engine)


def _pieces(format_: str, key: str) -> list[str]:
    """Split a format into directives and single characters."""
    pieces = re.findall(r"%.?|[^%]", format_, flags=re.DOTALL)
    unknown = sorted({p for p in pieces if p.startswith("%") and p not in _DIRECTIVES})
    if unknown or not any(piece in _DIRECTIVES for piece in pieces):
        what = f"has {', '.join(unknown)}" if unknown else "has no directive"
        meant = _in_directives(format_)
        raise SettingsError(
            f"{key}: timestamp_format = {format_!r} {what}; "
            f"{f'write it as {meant!r}: ' if meant else ''}expected a strptime format such as "
            f"'%d.%m.%Y' or '%d/%m/%Y %H:%M', of {' '.join(sorted(_DIRECTIVES))}."
        )
    return pieces


def _in_directives(format_: str) -> str | None:
    """Spell a format of letters (dd.mm.yyyy, YYYY-MM-DD HH:mm:ss) in directives; None if unclear.

    Months and minutes share a letter: minutes come after an hour. A day has to come out of it.
    """
    written, after_hour = [], False
    for letters, sign in re.findall(r"([A-Za-z]+)|([^A-Za-z])", format_):
        directive = _LETTERS.get(letters.lower()) if letters else sign
        if directive is None:
            return None
        if directive == "%m" and after_hour:
            directive = "%M"
        after_hour = after_hour or directive == "%H"
        written.append(directive)
    found = "".join(written)
    day = all(any(d in found for d in one) for one in (("%Y", "%y"), ("%m", "%b", "%B"), ("%d",)))
    return found if day and "%" not in format_ else None


def _touches(pieces: Sequence[str], place: int) -> bool:
    around = [*pieces[max(place - 1, 0) : place], *pieces[place + 1 : place + 2]]
    return any(piece in _DIRECTIVES for piece in around)


def _pattern(pieces: Sequence[str]) -> str:
    """Regular expression of what a format reads."""
    parts = []
    for place, piece in enumerate(pieces):
        if (directive := _DIRECTIVES.get(piece)) is None:
            parts.append(re.escape(piece))
        else:
            parts.append(directive.beside if _touches(pieces, place) else directive.alone)
    return f"^{''.join(parts)}$"


def _spark_format(pieces: Sequence[str], key: str) -> str:
    """Write a format as a Spark pattern; letters that are not directives are quoted."""
    written = []
    for place, piece in enumerate(pieces):
        if (directive := _DIRECTIVES.get(piece)) is None:
            written.append(f"'{piece}'" if piece.isalpha() else piece)
        elif directive.spark is None:
            raise SettingsError(
                f"{key}: Spark does not read {piece} of timestamp_format the way DuckDB does; "
                "turn the column into dates before."
            )
        else:
            written.append(directive.spark[_touches(pieces, place)])
    return "".join(written)
