"""How the page is written: chapters, tables, rules and lines of its width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence


def rules(kind: str, rules: Iterable[tuple[str, str, str]]) -> str:
    """A table of rules in the order in which they are tried: name, words, formula."""
    rows = [
        (str(place), f"`{name}`", words, formula)
        for place, (name, words, formula) in enumerate(rules, start=1)
    ]
    return table(("", kind, "in words", "rule"), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [" | ".join(heads), "|".join(["---"] * len(heads)), *map(" | ".join, rows)]
    head, rule, *body = lines
    return "\n".join([f"| {head} |", f"|{rule}|", *(f"| {line} |" for line in body)])


def prose(*parts: str) -> str:
    """Sentences as lines of the width that the other pages have."""
    text, inner = " ".join(parts), "  " if parts[0].startswith("- ") else ""
    return textwrap.fill(
        text, 100, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False
    )


def chapter(title: str, *parts: str) -> str:
    """A heading and what is under it."""
    return "\n\n".join([f"## {title}", *parts]) + "\n"
