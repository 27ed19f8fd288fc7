"""What a setting of a source names: one of its columns, or a number made of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from features.compat import missing
from features.errors import InputError, placed
from features.opening.columns import column, is_blank, text
from features.opening.expressions import amount, columns_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.opening.sources import Opened
    from features.section import Source


def settings_column(opened: Opened, name: str, key: str) -> ir.Column:
    """Column that a setting names, or an error; a name that a header holds twice is one.

    Parameters
    ----------
    opened : Opened
    name : str
    key : str
        Settings key, for the error.

    Returns
    -------
    ibis column

    Raises
    ------
    InputError
        If there is no such column, or more than one.
    """
    if name in opened.ambiguous:
        raise InputError(
            f"{key} = {name!r}: the header of {opened.uri} holds this name more than once "
            "(capitals aside); rename one of the columns."
        )
    with placed(opened.uri):
        return column(opened.table, name, key)


def column_of(opened: Opened, source: Source, setting: str, key: str) -> ir.Column:
    """Column that a setting of a source names.

    Parameters
    ----------
    opened : Opened
    source : Source
    setting : str
        One that is given, such as ``customer_id``.
    key : str
        Of the source, for the error, such as ``sources.events``.

    Returns
    -------
    ibis column

    Raises
    ------
    InputError
        As for `settings_column`.
    """
    return settings_column(opened, getattr(source, setting), f"{key}.{setting}")


def words_of(opened: Opened, source: Source, setting: str, key: str) -> Any:
    """Column that a setting names as text; null throughout where it is not given.

    Parameters
    ----------
    opened, source, setting, key
        As in `column_of`; the setting need not be given.

    Returns
    -------
    ibis column of string
    """
    if getattr(source, setting) is None:
        return missing("string")
    return text(column_of(opened, source, setting, key))


def number_of(opened: Opened, setting: str | None, key: str) -> tuple[Any, Any]:
    """Number of a setting, and whether a column that it is made of is blank.

    Null and blank throughout where there is no such setting.

    Parameters
    ----------
    opened : Opened
    setting : str or None
        A column, or arithmetic over columns.
    key : str
        Settings key, for errors.

    Returns
    -------
    tuple of float64 column and boolean column

    Raises
    ------
    InputError, SettingsError
        If a column is missing, or the setting cannot be.
    """
    if setting is None:
        return missing("float64"), ibis.literal(True)
    read = columns_of(setting, opened.table.columns, key)
    for name in read:
        settings_column(opened, name, key)
    with placed(opened.uri):
        value = amount(opened.table, setting, key, commas=opened.commas)
    blank: Any = ibis.literal(False)
    for name in read:
        blank = blank | is_blank(opened.table[name])
    return value, blank
