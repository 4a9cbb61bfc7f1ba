"""Who may do what at the desk: one table of acts and roles, and the mark that every route carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

ROLES = ("reviewer", "publisher", "auditor", "administrator")

_EVERYBODY = frozenset(ROLES)
_HANDS = _EVERYBODY - {"auditor"}  # who changes records
_PUBLISHES = frozenset({"publisher", "administrator"})
_ACCOUNTS = frozenset({"auditor", "administrator"})
_ADMINISTERS = frozenset({"administrator"})

ACTS: Mapping[str, frozenset[str]] = {
    "own.session": _EVERYBODY,  # sign out
    "voices.see": _EVERYBODY,
    "voices.review": _HANDS,  # correct, classify, join, assign, approve, reject
    "voices.reply": _HANDS,
    "voices.behalf": _HANDS,  # type in paper ballots, visits, calls
    "voices.unbleeped": _HANDS,  # with a reason, written down
    "callbacks.see": _EVERYBODY,
    "callbacks.act": _HANDS,
    "counts.see": _EVERYBODY,
    "counts.named": _HANDS,  # who chose what, where a topic votes by name
    "records.export": _ACCOUNTS,
    "overview.see": _EVERYBODY,
    "topics.see": _EVERYBODY,
    "topics.write": _HANDS,  # drafts
    "topics.publish": _PUBLISHES,  # open, pause, close, decide
    "progress.write": _PUBLISHES,
    "broadcasts.see": _EVERYBODY,
    "broadcasts.write": _HANDS,
    "broadcasts.approve": _PUBLISHES,
    "loudspeakers.write": _ADMINISTERS,
    "prompts.see": _EVERYBODY,
    "prompts.write": _PUBLISHES,
    "roster.see": _ADMINISTERS,
    "roster.write": _ADMINISTERS,
    "staff.see": _ACCOUNTS,
    "staff.write": _ADMINISTERS,
    "platforms.see": _ACCOUNTS,
    "platforms.write": _ADMINISTERS,
    "settings.see": _ACCOUNTS,
    "settings.write": _ADMINISTERS,
    "audit.see": _ACCOUNTS,
    "privacy.act": _ADMINISTERS,  # find a person, export, delete, withdraw a consent
}
"""Each act at the desk, and the roles that may do it."""

_View = TypeVar("_View", bound=Callable[..., Any])


def may(role: str, act: str) -> bool:
    """Whether a role may do this. A KeyError is a mistake of ours: an act that is not in the table."""
    return role in ACTS[act]


def for_role(act: str, **others: str) -> Callable[[_View], _View]:
    """Say which act a view is; `post="…"` and the like name another one for that method.

    The door asks (`admin.doors`), so a view without this mark is closed to everybody.
    """
    declared = {"": act, **{method.upper(): other for method, other in others.items()}}
    for one in declared.values():
        ACTS[one]

    def mark(view: _View) -> _View:
        view.acts = declared  # type: ignore[attr-defined]
        return view

    return mark


def act_of(view: Callable[..., Any], method: str) -> str | None:
    """The act a view was marked with for a method; None where nobody has marked it."""
    declared: Mapping[str, str] = getattr(view, "acts", {})
    return declared.get(method, declared.get(""))
