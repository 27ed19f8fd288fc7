"""The registered model as MLflow loads it: models-from-code, with nothing pickled.

MLflow copies this file and the ``training`` package beside the scorer's folder, so any machine
with NumPy, pandas, SciPy, scikit-learn and LightGBM can score with ``mlflow.pyfunc.load_model``
or Spark's ``mlflow.pyfunc.spark_udf``. Behaviour rows in; the columns of
``training.scorer.PREDICTED`` out, and with ``params={"contributions": True}`` one more column
``contribution_<family>`` for each family of drivers (log-odds of churn).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from training.scorer import Scorer


class RegisteredScorer(mlflow.pyfunc.PythonModel):
    """MLflow's face of ``training.scorer.Scorer``."""

    def load_context(self, context: Any) -> None:
        """Read the scorer's folder from the logged artifacts."""
        self.scorer = Scorer.load(Path(context.artifacts["scorer"]))

    def predict(
        self,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Score behaviour rows.

        Parameters
        ----------
        model_input : pandas.DataFrame
            Behaviour rows as pandas reads them from the store; other columns do not matter.
        params : dict, optional
            ``contributions`` (bool) and ``horizon_days`` (int; 0 is the trained horizon).

        Returns
        -------
        pandas.DataFrame
            Predicted columns, one row for each input row.
        """
        asked = params or {}
        horizon = int(asked.get("horizon_days") or 0) or None
        predicted = self.scorer.predict(model_input, horizon_days=horizon)
        if not asked.get("contributions"):
            return predicted
        drivers = self.scorer.contributions(model_input).add_prefix("contribution_")
        return predicted.join(drivers)


mlflow.models.set_model(RegisteredScorer())
