"""The call to the duty phone: what kind of danger, who takes it, which receipt; no word, no number."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ivr.dialogue.keeps import KeepTaken
from ivr.dialogue.steps import End, Flow, Menu, Prompt, Say, prompt
from ivr.dialogue.turns import Digits, Text
from ivr.dialogue.view import AlertView, CommunityView

DANGER_CALL = "danger_call"

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "燃气": "danger.gas",
        "火情": "danger.fire",
        "摔倒": "danger.fall",
        "暴力": "danger.violence",
        "自伤": "danger.self_harm",
    }
)
"""What is said of each kind of `speech.urgency`."""


def danger_call(view: CommunityView) -> Flow:
    """Told three times, until `1` is pressed: then nobody is called for it any more.

    Who presses nothing is called again. It is for staff on duty: nothing is asked, nothing is recorded.
    """
    first, *others = [prompt(_KINDS.get(alert.danger, "danger.other")) for alert in view.alerts]
    receipts = tuple(_receipt(alert) for alert in view.alerts if alert.receipt)
    taken = KeepTaken(tuple(alert.opinion_id for alert in view.alerts))
    return Flow(
        DANGER_CALL,
        "greeting",
        {
            "greeting": Say(prompt("danger.call", name=Text(view.name)), then="told"),
            "told": Menu(
                (first, "danger.take", *others, *receipts, "danger.desk"),
                keys={"1": "taken"},
                next="untaken",
                keep={"1": taken},
                patience=2,
            ),
            "taken": End(("danger.taken", *receipts, "danger.desk")),
            "untaken": End("danger.again"),
        },
        home="told",
        person="told",
        is_placed=True,
        is_duty=True,
    )


def _receipt(alert: AlertView) -> Prompt:
    return Prompt("danger.receipt", {"receipt": Digits(alert.receipt)}, is_slow=True)
