"""What is wrong in a settings file, as sentences that say what to write instead.

pydantic finds the faults; here each becomes one line with the section, the key, what was got
and what was expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "text in quotes",
    "bool": "true or false",
    "tuple": 'a list, as ["a", "b"]',
    "list": 'a list, as ["a", "b"]',
    "dict": 'a table, as { a = "b" }',
    "model": "a section of its own",
}
_LIMITS = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "string_too_short": "at least {min_length} characters long",
    "string_too_long": "at most {max_length} characters long",
    "literal_error": "one of {expected}",
}


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word most like a given one.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str or None
        The likeliest; None when nothing shares half of its letters in order.

    Examples
    --------
    >>> nearest("horzon_days", ["horizon_days", "rule"])
    'horizon_days'
    """

    def likeness(candidate: str) -> float:
        return SequenceMatcher(None, word.lower(), candidate.lower()).ratio()

    best = max(sorted(known), key=likeness, default=None)
    return best if best is not None and likeness(best) >= 0.5 else None


def _section_model(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) in (Union, UnionType):
        found = (_section_model(part) for part in get_args(annotation))
        return next((model for model in found if model is not None), None)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def named_model(annotation: Any) -> type[BaseModel] | None:
    """Model of the sections that a table of sections holds, each under a name of the user's."""
    if get_origin(annotation) is not dict:
        return None
    return _section_model(get_args(annotation)[1])


def _model_at(model: type[BaseModel], place: Iterable[str]) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    keys = iter(place)
    for key in keys:
        field = current.model_fields.get(key) if current else None
        current = _section_model(field.annotation) if field else None
        if field and (each := named_model(field.annotation)):
            current = each if next(keys, None) is not None else None
    return current


def _homes(model: type[BaseModel], key: str, place: tuple[str, ...] = ()) -> list[str]:
    """Sections that know a key."""
    homes = [".".join(place)] if key in model.model_fields and place else []
    for name, field in model.model_fields.items():
        section, each = _section_model(field.annotation), named_model(field.annotation)
        if section is not None:
            homes += _homes(section, key, (*place, name))
        elif each is not None:
            homes += _homes(each, key, (*place, name, "<name>"))
    return homes


def _unknown(model: type[BaseModel], place: tuple[str, ...], value: Any) -> str:
    *above, key = place
    home = _model_at(model, above)
    known = {
        name: (_section_model(field.annotation) or named_model(field.annotation)) is not None
        for name, field in (home.model_fields.items() if home else ())
    }
    if isinstance(value, Mapping):
        said, like = f"unknown section [{'.'.join(place)}]", [n for n in known if known[n]]
    else:
        inside = f" in [{'.'.join(above)}]" if above else ""
        said, like = f"unknown key `{key}`{inside}", [n for n in known if not known[n]]
    if meant := nearest(key, like):
        full = f"[{'.'.join((*above, meant))}]" if known[meant] else f"`{meant}`"
        return f"{said}; did you mean {full}?"
    if elsewhere := _homes(model, key):
        return f"{said}; it belongs in [{elsewhere[0]}]."
    return f"{said}; known here: {', '.join(f'`{name}`' for name in known) or 'nothing'}."


def _missing(model: type[BaseModel], place: tuple[str, ...]) -> str:
    *above, key = place
    home = _model_at(model, above)
    field = home.model_fields[key] if home else None
    inside = f"in [{'.'.join(above)}]" if above else "at the top of the file"
    if field is not None and _section_model(field.annotation) is not None:
        return f"the section [{'.'.join(place)}] is missing."
    meaning = f" {field.description}" if field is not None and field.description else ""
    return f"`{key}` is missing {inside}.{meaning}"


def _shown(value: Any) -> str:
    """A value as it stands in the file, about."""
    if isinstance(value, Mapping):
        return "a section"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _wrong(place: tuple[str, ...], kind: str, fault: Mapping[str, Any]) -> str:
    # A list's items are numbered from 0 in the fault's place: name the list alone.
    keys = [key for key in place if not key.isdigit()]
    inside = f" in [{'.'.join(keys[:-1])}]" if keys[:-1] else ""
    name, got = f"`{keys[-1]}`{inside}", _shown(fault["input"])
    context: dict[str, Any] = fault.get("ctx", {})
    if kind == "value_error":
        return f"{name}: {context['error']}"
    if kind in _LIMITS:
        return f"{name} must be {_LIMITS[kind].format(**context)}; got {got}."
    expected = _KINDS.get(kind.partition("_")[0])
    if expected:
        return f"{name} must be {expected}; got {got}."
    return f"{name}: {fault['msg']}; got {got}."


def misplaced_booleans(
    model: type[BaseModel], content: Mapping[str, Any], place: tuple[str, ...] = ()
) -> list[str]:
    """Say where true or false stands for a number, which pydantic would take for 1 or 0.

    Parameters
    ----------
    model : type of BaseModel
        The model of the whole settings file, or of the section at `place`.
    content : mapping
        The file's tables and keys, or the section's.
    place : tuple of str
        Sections above.

    Returns
    -------
    list of str
        One sentence for each.
    """
    said = []
    for key, value in content.items():
        field = model.model_fields.get(key)
        section = _section_model(field.annotation) if field else None
        each = named_model(field.annotation) if field else None
        if section is not None and isinstance(value, Mapping):
            said += misplaced_booleans(section, value, (*place, key))
        elif each is not None and isinstance(value, Mapping):
            for name, inner in value.items():
                if isinstance(inner, Mapping):
                    said += misplaced_booleans(each, inner, (*place, key, name))
        elif field is not None and isinstance(value, bool) and field.annotation in (int, float):
            kind = field.annotation.__name__
            said.append(_wrong((*place, key), f"{kind}_type", {"input": value}))
    return said


def sentences(model: type[BaseModel], error: ValidationError) -> list[str]:
    """Say every fault that pydantic found.

    Parameters
    ----------
    model : type of BaseModel
        The model of the whole settings file.
    error : ValidationError
        What its validation raised.

    Returns
    -------
    list of str
        One sentence for each fault, in the order of the file's sections.
    """
    said = []
    for fault in error.errors(include_url=False):
        place, kind = tuple(str(key) for key in fault["loc"]), str(fault["type"])
        if not place:
            said += str(fault.get("ctx", {}).get("error", fault["msg"])).splitlines()
        elif kind == "extra_forbidden":
            said.append(_unknown(model, place, fault["input"]))
        elif kind == "missing":
            said.append(_missing(model, place))
        else:
            said.append(_wrong(place, kind, fault))
    return said
