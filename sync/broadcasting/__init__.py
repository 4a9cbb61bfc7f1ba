"""What staff do with the loudspeakers: programmes, their approval, schedules, cutting in, what was played."""

from sync.broadcasting.approving import approve, approve_by_pin, set_pin, submit, withdraw
from sync.broadcasting.cutting_in import cut_in, play_now, stop_airing
from sync.broadcasting.health import Unwell, unwell, why_unwell
from sync.broadcasting.loudspeakers import (
    KINDS,
    add_loudspeaker,
    change_loudspeaker,
    change_secret,
    loudspeakers_of,
    secret_of,
    set_loudspeaker_state,
)
from sync.broadcasting.played import Outcome, Played, outcome_of, outcomes, plays_of
from sync.broadcasting.programmes import Item, compose, edit, items_of, programme_of
from sync.broadcasting.schedules import Rule, When, add_rule, schedule, schedules_of, set_schedule_state

__all__ = [
    "KINDS",
    "Item",
    "Outcome",
    "Played",
    "Rule",
    "Unwell",
    "When",
    "add_loudspeaker",
    "add_rule",
    "approve",
    "approve_by_pin",
    "change_loudspeaker",
    "change_secret",
    "compose",
    "cut_in",
    "edit",
    "items_of",
    "loudspeakers_of",
    "outcome_of",
    "outcomes",
    "play_now",
    "plays_of",
    "programme_of",
    "schedule",
    "schedules_of",
    "secret_of",
    "set_loudspeaker_state",
    "set_pin",
    "set_schedule_state",
    "stop_airing",
    "submit",
    "unwell",
    "why_unwell",
    "withdraw",
]
