"""The calls we place: who rang and hung up gets the hotline, who was answered is told so and may hear it."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue.danger import danger_call
from ivr.dialogue.hotline import hotline, person_steps
from ivr.dialogue.keeps import KeepConsent
from ivr.dialogue.progress import own_in_order, own_steps
from ivr.dialogue.speaking import REFUSE, message_steps, speaking_steps
from ivr.dialogue.steps import End, Flow, Menu, Prompt, Say, Step, prompt
from ivr.dialogue.turns import Text
from ivr.dialogue.view import CommunityView

CALLED_BACK, REPLY_CALL = "called_back", "reply_call"
"""What a view's `placed_for` may say besides '': nothing."""

_MORE_SECONDS = 6


def flow_of(view: CommunityView) -> Flow:
    """The flow of one call, whoever dialled."""
    has_reply = any(own.reply for own in view.own)
    match view.placed_for:
        case "":
            return hotline(view)
        case "reply_call" if has_reply:
            return reply_call(view)
        case "danger_call" if view.alerts:
            return danger_call(view)
    return called_back(view)


def called_back(view: CommunityView) -> Flow:
    """Somebody rang and hung up, or no line was free: the hotline, at our cost."""
    usual = hotline(view)
    greeting = usual.steps[usual.start]
    assert isinstance(greeting, Say)
    ours = replace(greeting, says=prompt("placed.called_back", name=Text(view.name)))
    return replace(usual, name=CALLED_BACK, steps={**usual.steps, usual.start: ours}, is_placed=True)


def reply_call(view: CommunityView) -> Flow:
    """A reply is there. Nothing of it is said before somebody asks for it: the telephone may be shared.

    Whoever picks up and presses nothing is left in peace after the second asking.
    """
    steps: dict[str, Step] = {
        "greeting": Say(prompt("placed.reply", name=Text(view.name)), then="offer"),
        "offer": Menu(
            "placed.hear_now",
            keys={"1": "own.1", "2": "later", REFUSE: "no_more"},
            keep={REFUSE: _no_more_calls(view)},
            next="own.1",
            silence="more",
        ),
        "later": Say("placed.later", then="rest"),
        **own_steps(own_in_order(view), then="more"),
        "more": _more(view, "placed.more", {REFUSE: "no_more"}),
        "no_more": Say("placed.no_more", then="rest"),
        "rest": _more(view, "placed.rest", {}),
        **speaking_steps("other", view, then="more", otherwise="more"),
        **message_steps(view, then="more"),
        **person_steps(view, then="more"),
        "goodbye": End("placed.goodbye"),
    }
    return Flow(REPLY_CALL, "greeting", steps, "offer", "person", view.is_slow, is_placed=True)


def _more(view: CommunityView, says: str, keys: dict[str, str]) -> Menu:
    """Anything else? Nothing pressed ends the call: we rang, so nobody waits for us."""
    return Menu(
        Prompt(says),
        keys={"1": "other.speak", **keys},
        keep={key: _no_more_calls(view) for key in keys},
        next="goodbye",
        timeout_seconds=_MORE_SECONDS,
        patience=0,
    )


def _no_more_calls(view: CommunityView) -> KeepConsent:
    return KeepConsent("refused", view.notice_version, purpose="call_back")
