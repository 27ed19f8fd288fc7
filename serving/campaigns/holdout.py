"""The holdout: who of the chosen is left out, at random and so that it can be checked later.

A customer's place in the draw is a hash of the plan and the customer under a secret key: nobody
can choose whom it falls on, and whoever has the key finds the same draw again. In each stratum so
many of the first places are held out that everyone's chance is exactly the share.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from serving.errors import CampaignError

_KEY_BYTES = 32
RISKS = ("low", "middle", "high")


def draw(
    customers: Sequence[str],
    strata: Sequence[str] | np.ndarray,
    share: float,
    *,
    plan_id: str,
    key: bytes,
) -> np.ndarray:
    """Draw who is held out.

    Parameters
    ----------
    customers : sequence of str
        Their ids, each once.
    strata : sequence or array of str
        The stratum of each.
    share : float
        Chance of each customer to be held out, in (0, 1).
    plan_id : str
    key : bytes
        Secret, at least 16 bytes.

    Returns
    -------
    boolean array
        True for who is held out. Whatever the order of the customers, it is the same draw.

    Raises
    ------
    CampaignError
        If the share or the key cannot be.

    Notes
    -----
    With N customers in the strata up to one, in the order of their names, and N' in those before
    it, the ⌊N share + u⌋ − ⌊N' share + u⌋ with the smallest hashes are held out. As u, a hash of
    the plan, is uniform in [0, 1), that is share times the customers of the stratum on average and
    less than one beside it; so is the sum over all strata, which never comes to nothing where
    the customers times the share are one or more. The hash is HMAC-SHA-256 (Krawczyk, Bellare &
    Canetti 1997, RFC 2104).
    """
    if not 0 < share < 1 or len(key) < 16:
        raise CampaignError(
            f"Got a share of {share} and a key of {len(key)} bytes; expected a share between 0 "
            "and 1 and at least 16 bytes."
        )
    names, group = np.unique(np.asarray(strata, dtype=str), return_inverse=True)
    # A keyed hash has no form for whole columns.
    place = np.array([_hash(key, plan_id, "customer", one) for one in customers], dtype="uint64")
    start = _hash(key, plan_id, "start") / 2.0**64
    sizes = np.bincount(group, minlength=len(names))
    held = np.diff(np.floor(np.cumsum(sizes) * share + start), prepend=np.floor(start)).astype(int)
    order = np.lexsort((place, group))
    rank = np.empty(len(order), dtype=int)
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(names) else np.zeros(0, int)
    rank[order] = np.arange(len(order)) - np.repeat(begins, sizes)
    return rank < held[group] if len(names) else np.zeros(0, dtype=bool)


def strata(actions: Sequence[str], tiers: Sequence[str], risk: np.ndarray) -> np.ndarray:
    """Strata of a plan: action, tier and third of the risk among the chosen.

    Parameters
    ----------
    actions, tiers : sequence of str
        Of each customer.
    risk : array
        Chance to leave, in [0, 1].

    Returns
    -------
    array of str
        As ``call/key/high``.
    """
    if not len(risk):
        return np.zeros(0, dtype=str)
    cuts = np.quantile(risk, [1 / 3, 2 / 3])
    third = np.asarray(RISKS)[np.searchsorted(cuts, risk, side="left")]
    pairs = zip(actions, tiers, third, strict=True)
    return np.array(["/".join(one) for one in pairs])


def assignment_ids(
    customers: Sequence[str], actions: Sequence[str], *, plan_id: str, key: bytes
) -> list[str]:
    """Id of each assignment: 16 hexadecimal digits that tell nothing of the customer."""
    pairs = zip(customers, actions, strict=True)
    return [f"{_hash(key, plan_id, 'assignment', *pair):016x}" for pair in pairs]


def key_of(folder: Path) -> bytes:
    """Secret key of a store's draws, made when it is first asked for.

    Parameters
    ----------
    folder : Path
        Folder of the plans.

    Returns
    -------
    bytes
        Kept in the file ``key``, which nobody but the user can read. It is never printed; without
        it no draw can be checked.

    Raises
    ------
    CampaignError
        If the file is not a key.
    """
    file = folder / "key"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f".key.{secrets.token_hex(8)}.tmp"
    if not file.exists():
        descriptor = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(secrets.token_bytes(_KEY_BYTES))
            out.flush()
            os.fsync(out.fileno())
        try:
            # Unlike a replace, it leaves a key alone that another process has just made.
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    key = file.read_bytes()
    if len(key) != _KEY_BYTES:
        raise CampaignError(
            f"Got {len(key)} bytes in {file}; expected a key of {_KEY_BYTES}. Bring the file back "
            "from a backup; if you remove it, no earlier holdout can be checked."
        )
    return key


def _hash(key: bytes, *parts: str) -> int:
    """64 bits of a keyed hash; a length before each part keeps them apart."""
    text = b"".join(len(b).to_bytes(4, "big") + b for b in (part.encode() for part in parts))
    return int.from_bytes(hmac.digest(key, text, hashlib.sha256)[:8], "big")
