"""What a service process needs of its environment, set before anything heavy is imported.

The front door sets the same for every verb; this stands in for it when BentoML starts the
service itself.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - only where keys guard it
_WORKERS = "REGULARS_WORKERS"


def prepare(environ: MutableMapping[str, str]) -> None:
    """Fill in what the libraries below have to find; what is set stays, metrics apart.

    Parameters
    ----------
    environ : mutable mapping of str to str
        `os.environ`.
    """
    # Waiting OpenMP threads spin otherwise, and starve themselves beside a busy process.
    environ.setdefault("OMP_WAIT_POLICY", "passive")
    environ.setdefault("OMP_NUM_THREADS", "1")
    environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # BentoML's folder for counts is one for all services of a user, and emptied by each start.
    if "REGULARS_METRICS_DIR" in environ and "PROMETHEUS_MULTIPROC_DIR" in environ:
        environ["PROMETHEUS_MULTIPROC_DIR"] = environ["REGULARS_METRICS_DIR"]


def host(environ: Mapping[str, str]) -> str:
    """Address to bind to: the loopback address as long as there are no keys.

    Parameters
    ----------
    environ : mapping of str to str
        `os.environ`.

    Returns
    -------
    str
    """
    return EVERYWHERE if environ.get("REGULARS_API_KEYS", "").strip() else LOOPBACK


def workers(environ: Mapping[str, str]) -> int:
    """Number of worker processes: `REGULARS_WORKERS`, 2 when not given.

    Parameters
    ----------
    environ : mapping of str to str
        `os.environ`.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If the variable is not a whole number above 0.
    """
    given = environ.get(_WORKERS, "2")
    if not given.isdigit() or int(given) < 1:
        raise ValueError(f"{_WORKERS} is {given!r}; expected a whole number above 0, such as 2")
    return int(given)
