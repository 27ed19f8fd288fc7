"""The process's environment before anything heavy is imported.

Set once at the entry; whatever the user has set already stands.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from types import MappingProxyType

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        # Waiting OpenMP threads spin otherwise, and starve themselves beside a busy process.
        "OMP_WAIT_POLICY": "passive",
        # So do those of numpy's linear algebra, which is on small matrices only: fits of the value
        # model took ten times longer with two threads.
        "OPENBLAS_NUM_THREADS": "1",
        # Nothing of ours is pickled; so nothing that is may be loaded.
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        # No usage statistics leave the machine.
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Our own progress is shown; MLflow's would be a second one.
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        # The scorer states what it needs; a lock file that happens to lie around is no part.
        "MLFLOW_UV_AUTO_DETECT": "false",
        # A server that is not there is told in seconds, not minutes.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "GIT_PYTHON_REFRESH": "quiet",
    }
)


def prepare(environment: MutableMapping[str, str]) -> None:
    """Fill in what the libraries below have to find.

    Parameters
    ----------
    environment : mutable mapping of str to str
        `os.environ`; variables that are set stay as they are.
    """
    for name, value in DEFAULTS.items():
        environment.setdefault(name, value)
