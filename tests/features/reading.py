"""Reading small tables the way a user's settings would."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.inputs import Inputs
from features.intake import read
from features.settings import Sources

NOW = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)
TRANSACTIONS = {"customer_id": "id", "timestamp": "at", "amount": "amount"}


def read_transactions(
    folder: Path,
    content: str | bytes | Path,
    *,
    timezone: str = "UTC",
    connection: Any = None,
    **settings: Any,
) -> Inputs:
    """Read transactions from text, bytes or a path; rejected rows go to `folder`."""
    path = content if isinstance(content, Path) else folder / "transactions.csv"
    if isinstance(content, (str, bytes)):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    given = {"uri": str(path), **TRANSACTIONS, **settings}
    return read(
        Sources.model_validate({"transactions": given}),
        timezone=timezone,
        now=NOW,
        rejects=folder / "store" / "rejects",
        connection=connection,
    )
