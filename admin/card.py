"""The one-page guide on paper, in very large type: a printed aid helps the oldest most."""

from __future__ import annotations

from pathlib import Path

import phonenumbers
from jinja2 import Environment, PackageLoader, select_autoescape


def spoken_groups(e164: str) -> str:
    """A number as people in its own country write it: `+8657112345678` → `0571 1234 5678`."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def card(community_name: str, dialled_number: str, language: str = "zh") -> str:
    """The card as one HTML page for A4, its styles inside; opens anywhere without a network."""
    environment = Environment(loader=PackageLoader("admin", "cards"), autoescape=select_autoescape())
    page = environment.get_template(f"card.{language}.html")
    return page.render(name=community_name, number=spoken_groups(dialled_number))


def write_card(path: Path, community_name: str, dialled_number: str, language: str = "zh") -> None:
    """Write the card to a file."""
    path.write_text(card(community_name, dialled_number, language), "utf-8")
