"""Variables of the environment inside settings: `${NAME}` and `${NAME:-default}`.

Only strings are touched; keys, numbers and tables stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from features.errors import SettingsError

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def _text(text: str, environment: Mapping[str, str], where: str) -> str:
    def value(found: re.Match[str]) -> str:
        name, default = found["name"], found["default"]
        if default is not None:
            # As in a shell, `:-` also stands in for a variable that is set but empty.
            return environment.get(name) or default
        if name not in environment:
            raise SettingsError(
                f"{where} uses ${{{name}}}, but the environment variable {name} is not set. "
                f"Set it (export {name}=…) or give a default: ${{{name}:-…}}."
            )
        return environment[name]

    unread = _VARIABLE.sub("", text)
    if "${" in unread:
        raise SettingsError(
            f"{where} holds {text!r}, which opens a `${{` that is not a variable. "
            "Write ${NAME} or ${NAME:-default}."
        )
    return _VARIABLE.sub(value, text)


def expand(value: Any, environment: Mapping[str, str], where: str = "") -> Any:
    """Put the values of environment variables into every string of a tree of settings.

    Parameters
    ----------
    value : str, number, bool, date, list or dict
        A value as read from TOML.
    environment : mapping of str to str
        Where variables are looked up, as `os.environ`.
    where : str
        Dotted name of the value, for errors ("sources.transactions.uri").

    Returns
    -------
    same shape as `value`
        A copy, with the strings expanded once (an expanded value is not expanded again).

    Raises
    ------
    SettingsError
        A variable without a default is not set, or `${` does not open a variable.

    Examples
    --------
    >>> expand({"uri": "${DATA:-data}/orders.csv"}, {})
    {'uri': 'data/orders.csv'}
    """
    if isinstance(value, str):
        return _text(value, environment, f"`{where}`" if where else "A setting")
    if isinstance(value, Mapping):
        prefix = f"{where}." if where else ""
        return {key: expand(item, environment, f"{prefix}{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, environment, where) for item in value]
    return value
