"""Known parameters, found again: how near the fits come, and whether they know how sure they are.

    python benchmarks/recovery.py                       # a table of 200 samples a model
    python benchmarks/recovery.py --samples 50 --customers 3000

Customers are drawn from known parameters again and again, and each model is fitted to each draw.
One line a parameter or forecast: the truth, the bias and the spread of the estimates, the
standard error that the fits said, and how often their interval (90 per cent, on the log scale)
holds the truth. Beside bias and coverage stand their Monte Carlo errors.
"""

# ruff: noqa: E402 - as on the command line, the environment is set before numpy is imported
from __future__ import annotations

import os

from regulars import environment

environment.prepare(os.environ)

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks import options
from benchmarks.printed import heading, table
from training.errors import StatisticalWarning
from training.value import bg_nbd, gamma_gamma, mbg_nbd, pareto_nbd
from training.value.delta import standard_error
from training.value.purchase_models import purchase_model
from training.value.simulate import Truth, simulate

Floats = NDArray[np.float64]

COVERAGE = 0.90
#: Ages in days, so that rows repeat and are counted.
AGES = (120.0, 240.0, 360.0)
#: Whose forecast is looked at: three purchases, the last of them two months ago.
HISTORY = (3.0, 180.0, 240.0)
HORIZON_DAYS = 90.0
VALUES = gamma_gamma.Parameters(6.25, 3.74, 15.44)
TRUTHS: Mapping[str, Any] = {
    "bg_nbd": bg_nbd.Parameters(0.7, 30.0, 0.8, 2.4),
    "mbg_nbd": mbg_nbd.Parameters(0.7, 30.0, 0.8, 1.6),
    "pareto_nbd": pareto_nbd.Parameters(0.7, 30.0, 0.6, 80.0),
}
PACKAGES = ("numpy", "scipy")


@dataclass(frozen=True)
class Found:
    """What one fit says of one thing.

    Parameters
    ----------
    estimate : float
    error : float
        Its standard error on the log scale.
    """

    estimate: float
    error: float


def study(name: str, samples: int, customers: int, random: np.random.Generator) -> pd.DataFrame:
    """Fit one model to many draws of customers that it is true of.

    Parameters
    ----------
    name : {"bg_nbd", "mbg_nbd", "pareto_nbd", "gamma_gamma"}
    samples : int
        Draws.
    customers : int
        Customers a draw.
    random : numpy.random.Generator

    Returns
    -------
    DataFrame
        One row a parameter or forecast: model, what, truth, bias (mean of ln(estimate / truth)),
        bias_error (its Monte Carlo error), spread (standard deviation of the same), error (mean
        of the fits' standard errors), coverage, coverage_error (under the nominal one), samples
        (those that converged).
    """
    truth = dict(_truths(name))
    drawn = [_sample(name, customers, random) for _ in range(samples)]
    fits = [found for found in drawn if found is not None]
    rows = []
    for what, value in truth.items():
        estimates = np.array([fit[what].estimate for fit in fits])
        errors = np.array([fit[what].error for fit in fits])
        off = np.log(estimates / value)
        inside = np.abs(off) <= norm.ppf(0.5 + COVERAGE / 2.0) * errors
        root = np.sqrt(len(fits))
        rows.append(
            {
                "model": name,
                "what": what,
                "truth": value,
                "bias": off.mean(),
                "bias_error": off.std(ddof=1) / root,
                "spread": off.std(ddof=1),
                "error": errors.mean(),
                "coverage": inside.mean(),
                "coverage_error": np.sqrt(COVERAGE * (1.0 - COVERAGE)) / root,
                "samples": len(fits),
            }
        )
    return pd.DataFrame(rows)


def shown(found: pd.DataFrame) -> str:
    """The study as a Markdown table.

    Parameters
    ----------
    found : DataFrame
        Of `study`; several may be put below each other.

    Returns
    -------
    str
    """
    return table(
        [
            {
                "model": row["model"],
                "what": row["what"],
                "truth": f"{row['truth']:.4g}",
                "bias": f"{row['bias']:+.1%} ± {row['bias_error']:.1%}",
                "spread": f"{row['spread']:.1%}",
                "said": f"{row['error']:.1%}",
                f"in the {COVERAGE:.0%} interval": f"{row['coverage']:.0%} "
                f"± {row['coverage_error']:.0%}",
                "samples": f"{row['samples']}",
            }
            for row in found.to_dict("records")
        ]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Study every model and print the table."""
    parser = options.parser(__doc__)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--customers", type=int, default=2000)
    given = parser.parse_args(arguments)
    random = np.random.default_rng(20260101)
    found = pd.concat(
        [study(name, given.samples, given.customers, random) for name in (*TRUTHS, "gamma_gamma")]
    )
    command = options.command("recovery", arguments)
    about = f"{given.samples} draws of {given.customers:,} customers from known parameters."
    print(heading("Known parameters, found again", about, command, PACKAGES, date.today()))
    print(shown(found))


def _truths(name: str) -> Iterator[tuple[str, float]]:
    """What is to be found, by the name of the line."""
    if name == "gamma_gamma":
        yield from _value_things(VALUES)
        return
    params = TRUTHS[name]
    yield from vars(params).items()
    for what, forecast in _forecasts(name).items():
        yield what, float(forecast(params))


def _value_things(params: gamma_gamma.Parameters) -> Iterator[tuple[str, float]]:
    yield from (("p", params.p), ("q − 1", params.q - 1.0), ("mean value", params.mean))
    yield "value after 3 purchases of 20", float(gamma_gamma.expected_value(params, 3.0, 20.0))


def _forecasts(name: str) -> dict[str, Callable[[Any], float]]:
    """Forecasts of one number each."""
    model = purchase_model(name)

    def one(answer: Floats) -> float:
        return float(answer[0])

    return {
        "purchases of a newcomer, 90 d": lambda p: model.expected_purchases_new(p, HORIZON_DAYS),
        "purchases after 3, 90 d": lambda p: one(
            model.expected_purchases(p, HORIZON_DAYS, *HISTORY)
        ),
        "return after 3, 90 d": lambda p: one(model.return_probability(p, HORIZON_DAYS, *HISTORY)),
    }


def _sample(name: str, customers: int, random: np.random.Generator) -> dict[str, Found] | None:
    """One draw, one fit; None where it did not converge and so has no interval."""
    ages = random.choice(AGES, customers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        if name == "gamma_gamma":
            return _values(simulate(Truth(values=VALUES), ages, 0.0, random))
        return _purchases(name, simulate(Truth(TRUTHS[name]), ages, 0.0, random))


def _purchases(name: str, frame: pd.DataFrame) -> dict[str, Found] | None:
    model = purchase_model(name)
    # One start is enough here, and takes a fifth of the time; that all starts end at one maximum
    # is a test of its own.
    process = replace(model.PROCESS, starts=model.PROCESS.starts[:1])
    fit = process.fit(frame["frequency"], frame["recency"], frame["T"])
    if fit.covariance is None or fit.relative_errors is None:
        return None
    at = np.log(astuple(fit.params)[:4])
    kind = type(fit.params)
    found = {
        what: Found(value, error)
        for (what, value), error in zip(vars(fit.params).items(), fit.relative_errors, strict=True)
    }
    for what, forecast in _forecasts(name).items():
        error = standard_error(
            lambda p, told=forecast: np.log(told(p)),
            lambda logs: kind(*np.exp(logs)),
            at,
            fit.covariance,
        )
        found[what] = Found(float(forecast(fit.params)), float(error))
    return found


def _values(frame: pd.DataFrame) -> dict[str, Found] | None:
    fit = gamma_gamma.fit(frame["frequency"], frame["monetary_value"])
    if fit.covariance is None:
        return None
    params = fit.params
    at = np.log([params.p, params.q - 1.0, params.mean])

    def made(logs: Floats) -> gamma_gamma.Parameters:
        p, beyond, mean = np.exp(logs)
        return gamma_gamma.Parameters(p, 1.0 + beyond, mean * beyond / p)

    def things(one: gamma_gamma.Parameters) -> Floats:
        return np.log([value for _, value in _value_things(one)])

    errors = standard_error(things, made, at, fit.covariance)
    return {
        what: Found(value, float(error))
        for (what, value), error in zip(_value_things(params), errors, strict=True)
    }


if __name__ == "__main__":
    main()
