"""Assignments: one row for each customer of a plan, treated or held out.

What `regulars plan` exports and `regulars measure` reads back. The scores of the day of the plan
stand beside the assignment, so that the measurement can take out what was known beforehand.

Units: probabilities and shares in [0, 1], purchases in occasions, money in the settings' currency.
"""

from __future__ import annotations

import pyarrow as pa

TREATED, HOLDOUT = "treated", "holdout"
ARMS = (TREATED, HOLDOUT)

SCHEMA = pa.schema(
    [
        ("assignment_id", pa.string()),
        ("plan_id", pa.string()),
        ("customer_id", pa.string()),
        ("as_of", pa.date32()),
        ("horizon_days", pa.int64()),
        ("action", pa.string()),
        ("channel", pa.string()),
        ("owner", pa.string()),
        ("arm", pa.string()),
        ("stratum", pa.string()),
        ("treated_share", pa.float64()),
        ("cost", pa.float64()),
        ("expected_profit", pa.float64()),
        ("return_probability", pa.float64()),
        ("expected_purchases", pa.float64()),
        ("expected_spend", pa.float64()),
        ("margin_rate", pa.float64()),
    ]
)
