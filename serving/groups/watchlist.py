"""The first list that people see: whom to look after first.

One definition for the terminal, the page and the API's example: customers in the stage
``at_risk`` who are more likely to leave than to stay, the most valuable first. The stage alone
tells that a customer is late by its own rhythm; of those, many will come back by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serving.api.messages import CustomersRequest, Filter, Stage

if TYPE_CHECKING:
    import pandas as pd

STAGE: Stage = "at_risk"
#: Chance to leave from which leaving is the likelier, both included.
LEAST = 0.5
WHO = "At risk and more likely than not to leave"
#: What stands above the list, by its order.
_ORDERS = {"-clv": "the most valuable first", "-churn_probability": "the likeliest first"}
HEADING = f"{WHO}, {_ORDERS['-clv']}"
#: All that can stand there.
HEADINGS = (WHO, *(f"{WHO}, {words}" for words in _ORDERS.values()))
#: Where no customer has a stage, as without purchases on record.
BY_RISK = "The likeliest to leave first"
#: Where no chance to leave is said of anybody.
UNSAID = "Whom to look after first cannot be said"


@dataclass(frozen=True)
class Watchlist:
    """Customers to look after first.

    Parameters
    ----------
    heading : str
        Who they are, and in what order.
    rows : list of dict
        Score rows as Python values.
    """

    heading: str
    rows: list[dict[str, Any]]


def chosen() -> Filter:
    """The list as a filter of the score table."""
    return Filter(stage=[STAGE], at_least={"churn_probability": LEAST})


def heading(asked: CustomersRequest) -> str | None:
    """What stands above a page of customers, where it is this list.

    Parameters
    ----------
    asked : CustomersRequest

    Returns
    -------
    str or None
        None when other customers are asked for.
    """
    if asked.filter != chosen():
        return None
    return ", ".join(filter(None, (WHO, _ORDERS.get(asked.sort[0]))))


def top(frame: pd.DataFrame, number: int) -> Watchlist:
    """Take the first of the list out of a score frame.

    Parameters
    ----------
    frame : pandas.DataFrame
        Score rows, as `serving.scores.read` gives them.
    number : int
        Rows at most.

    Returns
    -------
    Watchlist
        The rows that /customers gives for `chosen` in the order -clv. Where no customer has a
        stage, those with the highest churn probability; without rows, and `UNSAID` above, where no
        customer has one.
    """
    from serving import scores

    said = frame["churn_probability"].notna()
    if len(frame) and not said.any():
        return Watchlist(UNSAID, [])
    if frame["stage"].notna().any():
        at_risk = frame["stage"].eq(STAGE) & frame["churn_probability"].ge(LEAST)
        listed, told, order = frame[at_risk.fillna(value=False)], HEADING, "clv"
    else:
        listed, told, order = frame[said], BY_RISK, "churn_probability"
    # Without a number last, ties by customer, as everywhere.
    first = listed.sort_values(
        [order, "customer_id"], ascending=[False, True], na_position="last"
    ).head(number)
    return Watchlist(told, scores.to_table(first).to_pylist())
