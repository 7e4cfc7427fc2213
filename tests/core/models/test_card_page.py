"""The page of documentation on cards, beside the classes that read them."""

import re
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from core.models import card as cards
from core.models.card import Card
from core.settings import ROOT

PAGE = (ROOT / "docs" / "reference" / "card.md").read_text(encoding="utf-8")
CLASSES = [found for found in vars(cards).values() if isinstance(found, type) and issubclass(found, BaseModel)]
SECTIONS = [found for found in CLASSES if found.model_fields]


def rows_of(page: str) -> dict[str, str]:
    """Field → what stands in the column "usual"; a row may name several fields."""
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|", page, flags=re.MULTILINE)
    return {name: usual.strip() for names, usual in rows for name in re.findall(r"`(\w+)`", names)}


def test_the_sections_of_a_card_are_found():
    named = {section.__name__ for section in SECTIONS}
    assert {"Card", "Architecture", "InputContract", "OutputContract", "Intensity", "Training"} <= named


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_field_has_its_row_and_whether_it_is_needed(section: type[BaseModel]):
    rows = rows_of(PAGE)
    assert section.model_fields.keys() <= rows.keys()
    needed = {name for name, field in section.model_fields.items() if field.is_required()}
    # low and high are needed of an intensity and have defaults in an output: their rows say both
    shared = {"low", "high"}
    assert {name for name in needed - shared if rows[name] != "needed"} == set()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_choice_of_a_field_is_named(section: type[BaseModel]):
    for field in section.model_fields.values():
        choices = [choice for part in (field.annotation, *get_args(field.annotation)) for choice in get_args(part)]
        for choice in choices:
            if isinstance(choice, str):
                assert f"`{choice}`" in PAGE


def test_no_row_names_a_field_that_is_not_there():
    known = {name for section in SECTIONS for name in section.model_fields}
    assert set(rows_of(PAGE)) <= known


def test_the_example_is_a_card():
    (example,) = re.findall(r"```yaml[^\n]*\n(.*?)```", PAGE, flags=re.DOTALL)
    assert Card.model_validate(yaml.safe_load(example)).classes == ("Hand", "Knee")
