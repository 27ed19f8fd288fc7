"""Where things named in the settings are: relative ones start at the settings file's folder.

So a settings file and its data can be moved together, and commands can be run from anywhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from features.errors import SettingsError

_SQLITE = re.compile(r"^(?P<scheme>sqlite(?:\+[a-z]+)?)://(?P<path>/.*)$", re.IGNORECASE)
_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")


def path(text: str, folder: Path) -> str:
    """Make a path absolute.

    Parameters
    ----------
    text : str
        A path or a glob; `~` is the home folder.
    folder : Path
        Absolute folder that relative paths start at.

    Returns
    -------
    str
        Absolute path, the glob's stars untouched.
    """
    return str(folder / Path(text).expanduser())


def source(uri: str, folder: Path) -> str:
    """Make the address of a source absolute; addresses with a scheme stay as they are.

    Parameters
    ----------
    uri : str
        File, glob, or an address such as ``postgresql://…`` or ``spark://table``.
    folder : Path
        Absolute folder that relative paths start at.

    Returns
    -------
    str
        Absolute path, or the address unchanged.
    """
    return uri if _ADDRESS.match(uri) else path(uri, folder)


def tracking(uri: str | None, folder: Path, store: str) -> str:
    """Make the address of the MLflow tracking store absolute.

    Parameters
    ----------
    uri : str or None
        ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``postgresql://…``,
        ``http(s)://…``, ``databricks``; None is a SQLite file in the store.
    folder : Path
        Absolute folder that relative paths start at.
    store : str
        Absolute path of the store's folder.

    Returns
    -------
    str
        Address that means the same from every working folder.

    Raises
    ------
    SettingsError
        The address is a plain path: MLflow no longer keeps its records in plain files.
    """
    if uri is None:
        return f"sqlite:///{store}/mlflow.db"
    if sqlite := _SQLITE.match(uri):
        return f"{sqlite['scheme']}:///{path(sqlite['path'][1:], folder)}"
    if not (_ADDRESS.match(uri) or uri == "databricks") or uri.lower().startswith("file:"):
        raise SettingsError(
            f"`uri` in [tracking] is {uri!r}; expected the address of a database or a server. "
            "Write sqlite:///mlflow.db for a file, or postgresql://…, or http://… for an "
            "MLflow server."
        )
    return uri


def without_password(uri: str) -> str:
    """Hide the password of an address, for logs and reports.

    Parameters
    ----------
    uri : str
        Any path or address.

    Returns
    -------
    str
        The same, with ``user:secret@`` as ``user:***@``.

    Examples
    --------
    >>> without_password("postgresql://ann:secret@db:5432/shop")
    'postgresql://ann:***@db:5432/shop'
    """
    if not _ADDRESS.match(uri):
        return uri
    parts = urlsplit(uri)
    user, at, host = parts.netloc.rpartition("@")
    if not at or ":" not in user:
        return uri
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}"))
