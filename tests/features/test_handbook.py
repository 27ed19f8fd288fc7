"""The page that the project ships is the catalogue's."""

from __future__ import annotations

from pathlib import Path

from features.catalogue import FEATURES
from features.handbook import page

SHIPPED = Path(__file__).parents[2] / "docs" / "columns.md"


def test_the_shipped_page_is_up_to_date() -> None:
    told = "write it anew: python -m features.handbook > docs/columns.md"
    assert SHIPPED.read_text(encoding="utf-8") == page(), told


def test_every_column_has_a_line() -> None:
    assert all(f"| `{feature.name}` |" in page() for feature in FEATURES)
