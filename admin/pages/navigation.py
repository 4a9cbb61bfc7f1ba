"""The way around the desk: the pages a role may see, in groups, in the order of a working day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, request, url_for

from admin.roles import act_of, may


@dataclass(frozen=True)
class Place:
    """One entry: the id of its word, its address, whether the reader is on that page or below it."""

    word: str
    address: str
    is_here: bool


_GROUPS: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    (
        "nav_today",
        (
            ("nav_overview", "desk.overview"),
            ("opinions", "desk.opinions"),
            ("callbacks", "desk.callbacks"),
            ("nav_placed", "desk.placed"),
            ("nav_behalf", "desk.behalf"),
        ),
    ),
    (
        "nav_village",
        (
            ("nav_topics", "desk.topics"),
            ("counted_title", "desk.counts"),
            ("nav_broadcasts", "desk.broadcasts"),
            ("nav_prompts", "desk.prompts"),
        ),
    ),
    (
        "nav_house",
        (
            ("nav_roster", "desk.roster"),
            ("nav_privacy", "desk.privacy"),
            ("nav_staff", "desk.staff"),
            ("nav_platforms", "desk.platforms"),
            ("nav_settings", "desk.settings"),
            ("nav_audit", "desk.audit"),
        ),
    ),
)
"""Groups of (word, endpoint). An entry shows where its route exists and the role may do its act."""


def navigation(role: str) -> list[tuple[str, list[Place]]]:
    """The groups that hold anything for this role."""
    shown = [(group, [_place(word, endpoint) for word, endpoint in places if _is_open(endpoint, role)])
             for group, places in _GROUPS]  # fmt: skip
    return [(group, places) for group, places in shown if places]


def _is_open(endpoint: str, role: str) -> bool:
    view = current_app.view_functions.get(endpoint)
    act = act_of(view, "GET") if view else None
    return act is not None and may(role, act)


def _place(word: str, endpoint: str) -> Place:
    address = url_for(endpoint)
    below = address.rstrip("/") + "/"
    first = address == url_for("desk.opinions")
    is_here = request.path == address or request.path.startswith(f"{below}opinions/" if first else below)
    return Place(word, address, is_here)
