"""The settings as a page: every section and key of `regulars.toml`.

`python -m regulars.handbook > docs/settings.md` writes the page that the project ships. All of it
is read from the settings' models: a key is described where it is declared.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from features.section import Source
from features.settings import Sources
from regulars.corrections import named_model
from regulars.settings import Settings

_HEAD = """# Settings

Everything that `regulars.toml` can say. Needed are the three keys at the top and one source:
`[sources.transactions]`, `[sources.subscriptions]`, or `[sources.customers]` with a `label`; all
the rest has defaults.
`regulars check` reads the file, says what is wrong in it, and what the sources hold.

- An unknown key or section is an error that names the nearest known one.
- Relative paths start at the folder of the settings file.
- `${NAME}` inside a text is the environment variable of that name; without one,
  `${NAME:-default}` is `default`.

[examples/](../examples/) has whole files to start from.
"""

_OF_ALL = "Every source is a section of its own, under its name below, and has these keys."
# Plain words for one and for several.
_WORDS = {
    str: ("text", "texts"),
    int: ("whole number", "whole numbers"),
    float: ("number", "numbers"),
    bool: ("true or false", "of true or false"),
}
_BOUNDS: dict[type, tuple[str, str]] = {
    annotated_types.Ge: ("ge", "at least"),
    annotated_types.Gt: ("gt", "above"),
    annotated_types.Le: ("le", "at most"),
    annotated_types.Lt: ("lt", "below"),
}


def page() -> str:
    """The page as Markdown.

    Returns
    -------
    str
        A table for each section: key, type, default, meaning.
    """
    parts = [_HEAD]
    for place, model in sections(Settings):
        if not place:
            parts.append(_table("At the top of the file", "", _keys(model)))
        elif model is Sources:
            parts.append(_table("[sources.…]", _OF_ALL, _keys(Source)))
        else:
            shared = Source.model_fields if issubclass(model, Source) else {}
            own = {name: field for name, field in _keys(model).items() if name not in shared}
            parts.append(_table(f"[{'.'.join(place)}]", _first_line(model), own))
    return "\n".join(parts)


def sections(
    model: type[BaseModel], place: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Every section of the settings, in the order of their declaration.

    Parameters
    ----------
    model : type of BaseModel
        The model of the whole file, or of the section at `place`.
    place : tuple of str
        Sections above, with its own name.

    Yields
    ------
    tuple of (place, model)
        The whole file first, under the empty place.
    """
    yield place, model
    for name, field in model.model_fields.items():
        if inner := section(field):
            named = named_model(field.annotation) is not None
            yield from sections(inner, (*place, name, "<name>") if named else (*place, name))


def section(field: FieldInfo) -> type[BaseModel] | None:
    """Model of the section, or of the named sections, that a field holds; None for a value."""
    if each := named_model(field.annotation):
        return each
    kinds = [kind for kind in _alternatives(field.annotation) if isinstance(kind, type)]
    return next((kind for kind in kinds if issubclass(kind, BaseModel)), None)


def _keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    held = {name: section(field) for name, field in _fields(model)}
    return {name: field for name, field in _fields(model) if not held[name]}


def _fields(model: type[BaseModel]) -> Iterable[tuple[str, FieldInfo]]:
    return model.model_fields.items()


def _table(title: str, said: str, keys: dict[str, FieldInfo]) -> str:
    head = "| key | type | default | meaning |\n|---|---|---|---|"
    rows = [_row(name, field) for name, field in keys.items()]
    return "\n".join([f"## {title}\n", *([f"{said}\n"] if said else []), head, *rows, ""])


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`{name}`", _type(field), _default(field), field.description or "")
    # A bar would end the cell.
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _first_line(model: type[BaseModel]) -> str:
    line = (model.__doc__ or "").strip().partition("\n")[0]
    # "Section [churn]: what counts as leaving", under a heading that says the first half.
    told = re.sub(r"^Section \[[a-z.<>]+\]: ", "", line)
    return told[:1].upper() + told[1:]


def _alternatives(annotation: Any) -> list[Any]:
    """What a field may hold, without None."""
    several = get_origin(annotation) in (Union, UnionType)
    kinds = get_args(annotation) if several else (annotation,)
    return [kind for kind in kinds if kind is not NoneType]


def _type(field: FieldInfo) -> str:
    words = " or ".join(_words(kind) for kind in _alternatives(field.annotation))
    limits = {type(one): one for one in field.metadata}
    shortest, longest = (
        limits.get(kind) for kind in (annotated_types.MinLen, annotated_types.MaxLen)
    )
    if longest is not None and shortest is not None and longest.max_length == shortest.min_length:
        return f"{words} of {'one character' if longest.max_length == 1 else longest.max_length}"
    told = [
        f"{said} {getattr(limits[kind], name):g}"
        for kind, (name, said) in _BOUNDS.items()
        if kind in limits
    ]
    return f"{words}, {', '.join(told)}" if told else words


def _words(kind: Any, *, several: bool = False) -> str:
    """A type in plain words; one without words is an error, so that none is left out."""
    if kind in _WORDS:
        return _WORDS[kind][several]
    inner = get_args(kind)
    match get_origin(kind):
        case origin if origin is Literal:
            return f"one of {', '.join(f'`{word}`' for word in inner)}"
        case origin if origin in (tuple, list):
            return f"list of {_words(inner[0], several=True)}"
        case origin if isinstance(origin, type) and hasattr(origin, "keys"):
            return f"table of {_words(inner[0], several=True)} to {_words(inner[1], several=True)}"
    raise TypeError(f"no plain words for the type {kind} of a setting; give it some")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return "none"
    # As it stands in TOML, which for these values is as in JSON.
    return f"`{json.dumps(value, ensure_ascii=False)}`"


if __name__ == "__main__":
    sys.stdout.write(page())
