"""Markdown as the shipped pages have it: chapters, prose of one width, tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 100


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a head.

    Examples
    --------
    >>> print(table(("a", "b"), [("1", "2")]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [" | ".join(heads), "|".join(["---"] * len(heads)), *map(" | ".join, rows)]
    head, rule, *body = lines
    return "\n".join([f"| {head} |", f"|{rule}|", *(f"| {line} |" for line in body)])


def prose(*parts: str) -> str:
    """Sentences as lines of the width that the other pages have.

    Examples
    --------
    >>> prose("One sentence.", "Another one.")
    'One sentence. Another one.'
    """
    text, inner = " ".join(parts), "  " if parts[0].startswith("- ") else ""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False
    )


def chapter(title: str, *parts: str) -> str:
    """A chapter of paragraphs, each apart from the next by an empty line."""
    return "\n\n".join([f"## {title}", *parts]) + "\n"
