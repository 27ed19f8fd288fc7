"""The page of the settings that the project ships is the models'."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from features.section import Source
from regulars import handbook
from regulars.settings import Settings

SHIPPED = Path(__file__).parents[2] / "docs" / "settings.md"
KEYS = [
    (place, model, name, field)
    for place, model in handbook.sections(Settings)
    for name, field in model.model_fields.items()
    if handbook.section(field) is None
]


def chapter(place: tuple[str, ...], name: str) -> str:
    """Text under the heading that a key belongs under."""
    shared = place[:1] == ("sources",) and name in Source.model_fields
    title = "[sources.…]" if shared else f"[{'.'.join(place)}]"
    if not place:
        title = "At the top of the file"
    return handbook.page().split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_shipped_page_is_up_to_date():
    told = "write it anew: python -m regulars.handbook > docs/settings.md"
    assert SHIPPED.read_text(encoding="utf-8") == handbook.page(), told


def test_every_key_of_every_section_stands_once_under_its_heading():
    assert len(KEYS) > 40
    for place, _, name, _ in KEYS:
        assert chapter(place, name).count(f"\n| `{name}` | ") == 1, (place, name)


def test_every_key_has_a_meaning_and_every_section_a_sentence():
    for place, model, name, field in KEYS:
        assert len(field.description or "") > 20, (place, name)
        assert model.__doc__, place


def asked_for(model: type[BaseModel]) -> set[str]:
    """Keys and sections that an empty section is refused for."""
    try:
        model.model_validate({})
    except ValidationError as error:
        return {str(fault["loc"][0]) for fault in error.errors() if fault["type"] == "missing"}
    return set()


def test_needed_is_what_the_settings_ask_for():
    """Every key without a default is asked for when its section is empty, and no other one."""
    for place, model in handbook.sections(Settings):
        keys = {name for where, _, name, _ in KEYS if where == place}
        shown = {
            name
            for name in keys
            if re.search(rf"^\| `{name}` \| [^|]+ \| \*\*needed\*\* \|", chapter(place, name), re.M)
        }
        assert shown == asked_for(model) & keys, place


class Section(BaseModel):
    """A section with a key of each kind."""

    share: float = Field(default=0.5, gt=0, le=1, description="A share.")
    several: tuple[str, ...] = Field(default=(), description="Words.")
    sign: str | None = Field(default=None, min_length=1, max_length=1, description="A | sign.")
    names: dict[str, str] = Field(default={}, description="Names.")
    strange: Any = None


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("share", "| `share` | number, above 0, at most 1 | `0.5` | A share. |"),
        ("several", "| `several` | list of texts | none | Words. |"),
        ("sign", "| `sign` | text of one character | none | A &#124; sign. |"),
        ("names", "| `names` | table of texts to texts | none | Names. |"),
    ],
)
def test_types_limits_and_defaults_are_in_plain_words(name: str, row: str):
    assert handbook._row(name, Section.model_fields[name]) == row


def test_a_type_without_plain_words_is_an_error():
    with pytest.raises(TypeError, match="plain words"):
        handbook._row("strange", Section.model_fields["strange"])
