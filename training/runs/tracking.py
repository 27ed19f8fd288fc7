"""What a training leaves in MLflow: a parent run with children ``churn`` and ``value``.

In: a finished ``Training`` record. Out: runs with parameters, metrics, plots, settings, data
fingerprint, code version and the model card, and the logged model that the registry points to.
Nothing that names a customer is logged.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.runs.registry import pointed
from training.scorer import Scorer

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

#: What a machine needs to load the registered scorer.
REQUIREMENTS = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")
TESTED = "tested_scorer"


@contextmanager
def experiment(tracking_uri: str, name: str, artifact_root: Path | None) -> Iterator[str]:
    """Point MLflow at a store for the length of a block.

    Parameters
    ----------
    tracking_uri : str
        ``sqlite:///…``, ``postgresql://…`` or a server's address.
    name : str
        The settings' ``name``; made if absent.
    artifact_root : Path or None
        Folder for the artifacts of a new experiment; None leaves that to the server.

    Yields
    ------
    str
        The experiment's id.
    """
    import mlflow

    with pointed(tracking_uri):
        found = mlflow.get_experiment_by_name(name)
        place = None if artifact_root is None else artifact_root.resolve().as_uri()
        yield found.experiment_id if found else mlflow.create_experiment(name, place)


@contextmanager
def run(
    experiment_id: str, name: str, *, nested: bool = False, tags: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A run that ends as FAILED when the block raises, and as KILLED when it is told to stop.

    Told to stop is Ctrl-C, or a signal that a handler turns into ``SystemExit``. A process that
    cannot say anything any more leaves it to `training.runs.unfinished`.

    Parameters
    ----------
    experiment_id : str
        From ``experiment``.
    name : str
        The run's name.
    nested : bool, default False
        Whether it is a child of the active run.
    tags : mapping of str to str, optional
        On the run from its first moment.

    Yields
    ------
    str
        The run's id.
    """
    import mlflow

    started = mlflow.start_run(
        experiment_id=experiment_id, run_name=name, nested=nested, tags=dict(tags or {})
    )
    with started as active:
        try:
            yield active.info.run_id
        except (KeyboardInterrupt, SystemExit):
            mlflow.end_run("KILLED")
            raise


def trial_logger(experiment_id: str) -> Callable[[int, Mapping[str, Any], float], None]:
    """A callback that logs each trial of a search as a child of the active run.

    Parameters
    ----------
    experiment_id : str
        From ``experiment``.

    Returns
    -------
    callable
        Takes the trial's number, its parameters, and its log-loss.
    """

    def trial(number: int, parameters: Mapping[str, Any], log_loss: float) -> None:
        with run(experiment_id, f"trial {number}", nested=True):
            log(parameters=parameters, metrics={"log_loss": log_loss})

    return trial


def log(
    *,
    parameters: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    texts: Mapping[str, str] | None = None,
    charts: Mapping[str, alt.Chart] | None = None,
) -> None:
    """Log to the active run; figures that are not finite are left out, since stores refuse them.

    Parameters
    ----------
    parameters, metrics, tags : mapping
        By name.
    texts : mapping of str to str
        File name in the run's artifacts, and its text.
    charts : mapping of str to altair.Chart
        Name under ``plots/`` without an ending; kept as HTML that works offline and as PNG.
    """
    import math

    import mlflow

    mlflow.log_params({key: str(value)[:500] for key, value in (parameters or {}).items()})
    finite = {key: float(v) for key, v in (metrics or {}).items() if math.isfinite(v)}
    mlflow.log_metrics(finite)
    mlflow.set_tags(dict(tags or {}))
    for name, text in (texts or {}).items():
        mlflow.log_text(text, name)
    _log_charts(charts or {})


def _log_charts(charts: Mapping[str, alt.Chart]) -> None:
    import mlflow

    from training.grading import plots

    if not charts:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, chart in charts.items():
            for ending in (".html", ".png"):
                plots.save(chart, Path(folder) / f"{name}{ending}")
        mlflow.log_artifacts(folder, "plots")


def log_scorer(scorer: Scorer, example: pd.DataFrame) -> str:
    """Log the scorer to the active run as a pyfunc from code.

    Parameters
    ----------
    scorer : Scorer
        What will be registered.
    example : pandas.DataFrame
        Behaviour rows in the shape that the scorer reads; see ``example_rows``.

    Returns
    -------
    str
        URI of the logged model.
    """
    import mlflow

    signature = _signature(scorer, example)
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        scorer.save(Path(folder) / "scorer")
        logged = mlflow.pyfunc.log_model(
            name="scorer",
            python_model=str(here / "registered.py"),
            artifacts={"scorer": str(Path(folder) / "scorer")},
            code_paths=[str(here.parent)],
            signature=signature,
            input_example=example,
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        )
    return str(logged.model_uri)


def _signature(scorer: Scorer, example: pd.DataFrame) -> Any:
    """What the pyfunc takes and gives.

    Columns are named and their types left open: pandas reads a whole number as int64, and as
    float64 where one is null, and MLflow would refuse whichever was not in the example.
    """
    import mlflow
    from mlflow.types.schema import AnyType, ColSpec, Schema

    found = mlflow.models.infer_signature(
        example,
        scorer.predict(example),
        params={"contributions": False, "horizon_days": 0},
    )
    found.inputs = Schema([ColSpec(AnyType(), name=name) for name in example.columns])
    return found


def log_twin(scorer: Scorer) -> None:
    """Keep the scorer that never saw the newest test window; later gates compare with it."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        scorer.save(Path(folder))
        mlflow.log_artifacts(folder, TESTED)


def example_rows(behaviour: pd.DataFrame) -> pd.DataFrame:
    """Two made-up customers in the shape of a behaviour table, for signature and example.

    Parameters
    ----------
    behaviour : pandas.DataFrame
        Behaviour rows; only their columns' quartiles and commonest words are read.

    Returns
    -------
    pandas.DataFrame
        Two rows without identity: the lower and the upper quartile of each number, as float64,
        and the commonest word of each text.
    """
    import pandas as pd

    columns: dict[str, list] = {}
    for name in behaviour.columns.difference(["customer_id", "as_of"], sort=False):
        column = behaviour[name]
        if pd.api.types.is_numeric_dtype(column):
            columns[name] = [float(q) for q in column.astype(float).quantile([0.25, 0.75])]
        else:
            common = column.mode()
            columns[name] = [str(common.iloc[0]) if len(common) else ""] * 2
    return pd.DataFrame(columns)
