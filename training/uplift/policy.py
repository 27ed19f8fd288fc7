"""What a rule of treatment earns: who gets what, and the profit, from a trial that did otherwise.

In: effects or risks by which customers are chosen, the money at stake, a trial. Out: the
probability with which a rule gives each arm to each customer, and the rule's expected profit per
customer, which a randomised trial tells without the rule ever having been tried.

A rule π has the value V(π) = mean of Σₐ πₐ · (margin · ψₐ − costₐ), where ψ is the doubly robust
score of spend under arm a (Dudík, Langford & Li 2011, "Doubly robust policy evaluation and
learning", eq. 1), or Y/eₐ for those who got a and 0 for others by inverse-propensity weighting
(Horvitz & Thompson 1952). Rules are compared on the same customers, and choose within each fold:
levels of different folds are learned from one another's outcomes, so that a fold whose outcomes are
low by chance would come first in a common list, and honest rules would look worse than a lot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.uplift.effects import scores
from training.uplift.held_out import HeldOut
from training.uplift.resampling import DRAWS, Interval, means
from training.uplift.trial import SPEND, Trial


@dataclass(frozen=True)
class Money:
    """What is at stake.

    Attributes
    ----------
    margin : float in (0, 1]
        Share of the spend that remains as profit.
    costs : tuple of float, at least 0
        Of giving each action once, in currency; in the order of the trial's actions.
    """

    margin: float
    costs: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < self.margin <= 1 or not all(0 <= cost < np.inf for cost in self.costs):
            raise ValueError(
                f"Got a margin of {self.margin} and costs of {self.costs}; expected a share above "
                "0 and costs of at least 0."
            )

    def net(self, spend: np.ndarray) -> np.ndarray:
        """Profit of a change of spend by each action, of shape (n, n_actions)."""
        return self.margin * spend - np.asarray(self.costs)


def everyone(trial: Trial, net: np.ndarray) -> np.ndarray:
    """Everybody gets the open action with the highest average profit.

    Parameters
    ----------
    trial : Trial
    net : ndarray of shape (n_actions,)
        Average profit of each action.

    Returns
    -------
    ndarray of shape (n, n_arms)
        Probability of each arm; nothing where no action is open.
    """
    return _give(trial, _best(trial, np.broadcast_to(net, (len(trial), len(net))))[0])


def nobody(trial: Trial) -> np.ndarray:
    """Nothing is done, for anyone."""
    return _give(trial, np.zeros(len(trial), dtype=np.int64))


def by_profit(held: HeldOut, net: np.ndarray, share: float = 1.0) -> np.ndarray:
    """The most profitable action for each, those with the highest profit first.

    Parameters
    ----------
    held : HeldOut
    net : ndarray of shape (n, n_actions)
        Predicted profit of each action on each customer.
    share : float in [0, 1], default=1.0
        Of the customers of each fold that can be treated; nobody is treated at a loss.

    Returns
    -------
    ndarray of shape (n, n_arms)
    """
    action, worth = _best(held.trial, net)
    size = np.bincount(held.fold)
    chosen = (held.place(worth) < np.round(share * size)[held.fold]) & (worth > 0)
    return _give(held.trial, np.where(chosen, action, 0))


def first(held: HeldOut, rule: np.ndarray, score: np.ndarray, many: np.ndarray) -> np.ndarray:
    """A rule for those with the highest score, and nothing for the others.

    Parameters
    ----------
    held : HeldOut
    rule : ndarray of shape (n, n_arms)
        What those who are chosen get, such as `everyone`'s.
    score : ndarray of shape (n,)
        Such as the risk; who comes first among equals is settled by their order.
    many : ndarray of shape (n_folds,)
        Customers to treat in each fold.

    Returns
    -------
    ndarray of shape (n, n_arms)
    """
    treatable = rule[:, 0] < 1
    place = held.place(np.where(treatable, score, -np.inf))
    nothing = np.zeros_like(rule)
    nothing[:, 0] = 1.0
    return np.where((place < many[held.fold])[:, None], rule, nothing)


def at_random(held: HeldOut, rule: np.ndarray, many: np.ndarray) -> np.ndarray:
    """A rule for so many customers drawn by lot: its expectation, not one draw of it.

    Parameters
    ----------
    held : HeldOut
    rule : ndarray of shape (n, n_arms)
    many : ndarray of shape (n_folds,)
        Customers to treat in each fold.

    Returns
    -------
    ndarray of shape (n, n_arms)
    """
    part = np.minimum(1.0, many / np.maximum(treated(held, rule), 1e-12))[held.fold]
    mixed = part[:, None] * rule
    mixed[:, 0] += 1.0 - part
    return mixed


def treated(held: HeldOut, rule: np.ndarray) -> np.ndarray:
    """Customers that a rule is expected to treat in each fold, of shape (n_folds,)."""
    return np.bincount(held.fold, rule[:, 1:].sum(axis=1))


def earned(held: HeldOut, rule: np.ndarray, money: Money, method: str = "dr") -> np.ndarray:
    """Score of a rule's profit for each customer; its mean is V(π).

    Parameters
    ----------
    held : HeldOut
    rule : ndarray of shape (n, n_arms)
    money : Money
    method : {"dr", "ipw"}, default="dr"
        Doubly robust, or inverse-propensity weighting.

    Returns
    -------
    ndarray of shape (n,)
        In currency, the profit on all spend less the costs of actions.

    Raises
    ------
    ValueError
        When the rule gives an arm that was not open to a customer: nothing can be said of that.
    """
    trial = held.trial
    if bool((rule[~trial.open] > 0).any()):
        raise ValueError(
            "Got a rule that gives customers arms that were not open to them in the trial; "
            "expected arms of a probability above 0."
        )
    response = held.response[SPEND]
    told = scores(trial, SPEND, response if method == "dr" else np.zeros_like(response))
    costs = np.array([0.0, *money.costs])
    return (rule * (money.margin * np.where(trial.open, told, 0.0) - costs)).sum(axis=1)


def values(
    deals: Sequence[Mapping[str, np.ndarray]],
    random: np.random.Generator,
    *,
    against: str | None = None,
    draws: int = DRAWS,
) -> dict[str, Interval]:
    """Profit of rules per customer, or how much more one earns than each of the others.

    Parameters
    ----------
    deals : sequence of mapping of str to ndarray of shape (n,)
        By rule, what `earned` gives; one mapping for each way in which the customers were dealt
        into folds, and averaged over them, as the folds are luck too.
    random : Generator
        Of the bootstrap.
    against : str, optional
        A rule's name: then what it earns more than each other rule, on the same customers.
    draws : int, default=1000

    Returns
    -------
    dict of str to Interval
        By rule, in currency per customer of the trial, treated or not.
    """
    table = {name: sum(deal[name] for deal in deals) / len(deals) for name in deals[0]}
    if against is not None:
        own = table.pop(against)
        table = {name: own - other for name, other in table.items()}
    matrix = np.column_stack(list(table.values()))
    drawn = means(matrix, random, draws)
    return {
        name: Interval.of(float(matrix[:, k].mean()), drawn[:, k]) for k, name in enumerate(table)
    }


def rivals(held: HeldOut, own: np.ndarray, money: Money) -> dict[str, np.ndarray]:
    """The simple rules beside one's own, at the same number treated in each fold.

    Parameters
    ----------
    held : HeldOut
    own : ndarray of shape (n, n_arms)
    money : Money

    Returns
    -------
    dict of str to ndarray of shape (n, n_arms)
        ``riskiest first``, ``at random``, ``everyone`` (whatever the number) and ``nobody``. Each
        gives the action that turned out best on average, which flatters them.
    """
    trial, many = held.trial, treated(held, own)
    told = held.scores()
    average = np.array(
        [
            np.nanmean(told[:, a] - told[:, 0]) if trial.open[:, a].any() else 0.0
            for a in range(1, len(trial.arms))
        ]
    )
    best = everyone(trial, money.net(average))
    return {
        "riskiest first": first(held, best, held.risk, many),
        "at random": at_random(held, best, many),
        "everyone": best,
        "nobody": nobody(trial),
    }


def _best(trial: Trial, net: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best open action of each customer, 0 where none is open, and its profit."""
    known = np.where(trial.open[:, 1:], net, -np.inf)
    place = known.argmax(axis=1)
    worth = known[np.arange(len(trial)), place]
    return np.where(np.isfinite(worth), place + 1, 0), worth


def _give(trial: Trial, action: np.ndarray) -> np.ndarray:
    rule = np.zeros((len(trial), len(trial.arms)))
    rule[np.arange(len(trial)), action] = 1.0
    return rule
