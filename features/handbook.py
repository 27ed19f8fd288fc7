"""The catalogue as a page: every column of the behaviour table, family by family.

`python -m features.handbook > docs/columns.md` writes the page that the project ships.
"""

from __future__ import annotations

import sys

from features.catalogue import FAMILIES, FEATURES, Feature

_HEAD = """# Columns of the behaviour table

One row a customer and as-of date. Whatever sources there are, every table has all of these
columns, in this order, and then `attribute_<name>` for each attribute of the customers source.
Only rows from strictly before the as-of date are read.
"""


def page() -> str:
    """The page as Markdown.

    Returns
    -------
    str
        A table for each family: column, unit, range, meaning with its null rule.
    """
    parts = [_HEAD]
    for family in FAMILIES:
        rows = [_row(feature) for feature in FEATURES if feature.family == family.name]
        if rows:
            head = "| column | unit | range | meaning |\n|---|---|---|---|\n"
            parts.append(f"## {family.label}\n\n{head}" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(feature: Feature) -> str:
    low = "" if feature.low is None else f"{feature.low:g}"
    high = "" if feature.high is None else f"{feature.high:g}"
    span = f"{low} … {high}".strip() if low or high else "any"
    return f"| `{feature.name}` | {feature.unit} | {span} | {feature.meaning} |"


if __name__ == "__main__":
    sys.stdout.write(page())
