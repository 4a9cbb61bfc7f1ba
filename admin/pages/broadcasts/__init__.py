"""The pages of the loudspeakers: programmes, their approval, when they are due, how they were heard."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint

from admin.pages.broadcasts.airings import add_airings
from admin.pages.broadcasts.carried import add_carried
from admin.pages.broadcasts.deciding import add_decisions
from admin.pages.broadcasts.editor import add_editor
from admin.pages.broadcasts.listed import add_list
from admin.pages.broadcasts.loudspeakers import add_loudspeakers
from admin.pages.broadcasts.programme import add_programme
from admin.pages.broadcasts.rules import add_rules
from admin.pages.broadcasts.sound import add_sound
from sync.queue import WorkQueue


def add_broadcasts(desk: Blueprint, queue: WorkQueue, home: Path) -> None:
    """Put all of them on the desk. The sounds of programmes lie under `home`."""
    add_list(desk, home)
    add_editor(desk, queue)
    add_airings(desk)
    add_rules(desk)
    add_carried(desk, home)
    add_programme(desk)
    add_sound(desk, home)
    add_decisions(desk, queue)
    add_loudspeakers(desk)
