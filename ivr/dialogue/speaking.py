"""Speaking after the beep: the notice, the recording, keep or say it again, who may hear it, the receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from ivr.dialogue.keeps import KeepConsent, KeepRelease, KeepRequest
from ivr.dialogue.steps import (
    Choose,
    Fact,
    Known,
    KnownSounds,
    Listen,
    Memory,
    Menu,
    Prompt,
    Record,
    Remember,
    Say,
    Step,
    prompt,
)
from ivr.dialogue.turns import Count, Recall, Text
from ivr.dialogue.view import CommunityView

NOTICE, EMERGENCY = "speak.notice", "speak.emergency"
Wish = Literal["words", "voice", "none"]

_WISHES: Mapping[str, Wish] = {"1": "words", "2": "voice", "3": "none"}
REFUSE = "8"  # no key that leads here: pressing that one again in impatience must not refuse


def speaking_steps(
    at: str, view: CommunityView, then: str, otherwise: str, topic_id: str | None = None
) -> dict[str, Step]:
    """The steps `<at>.speak` … `<at>.receipt`, then `then`; `otherwise` when nothing was recorded."""
    asks = _may_we_call(at, view, then=f"{at}.receipt") if view.asks_to_call else {}
    known = f"{at}.asked_to_call" if asks else f"{at}.receipt"
    return {
        **_beep(at, view, otherwise, topic_id, "opinion"),
        **_review(at, then=f"{at}.release"),
        f"{at}.release": Menu(
            "release.ask",
            keys={"1": f"{at}.release.words", "2": f"{at}.release.voice", "3": f"{at}.release.none"},
            keep={key: release(how, view.notice_version) for key, how in _WISHES.items()},
            next=f"{at}.receipt",
            is_returnable=False,
        ),
        f"{at}.release.words": Say("release.kept_words", then=known),
        f"{at}.release.voice": Say("release.kept_voice", then=known),
        f"{at}.release.none": Say("release.kept_none", then=known),
        **asks,
        f"{at}.receipt": _receipt(then),
    }


def message_steps(view: CommunityView, then: str) -> dict[str, Step]:
    """A message when no person can be reached, and whether one should call back (default: no)."""
    return {
        **_beep("message", view, "call_back", None, "message"),
        **_review("message", then="message.call_back"),
        "message.call_back": _call_back("message.calls_back", "message.receipt"),
        "message.calls_back": Say("call_back.kept", then="message.receipt"),
        "message.receipt": _receipt(then),
        "call_back": _call_back("calls_back", then),
        "calls_back": Say("call_back.kept", then=then),
    }


def release(how: Wish, version: str) -> Callable[[Memory], KeepRelease]:
    """The wish of how neighbours may hear the opinion just given."""
    return lambda memory: KeepRelease(memory.get("key", ""), how, version)


def after_nothing(memory: Memory) -> str:
    """Nothing was said: an earlier version `stands`; else once `again`, then `enough`."""
    if memory.get("replaces"):
        return "stands"
    return "enough" if memory.get("was_empty") else "again"


def _beep(
    at: str, view: CommunityView, otherwise: str, topic_id: str | None, kind: Literal["opinion", "message"]
) -> dict[str, Step]:
    """The notice, the emergency sentence, the beep; a second try when nothing was heard."""
    version = view.notice_version
    notice = prompt(NOTICE, name=Text(view.name), months=Count(view.keep_months))
    return {
        f"{at}.speak": Remember({"replaces": "", "was_empty": "", "consent": ""}, then=f"{at}.notice"),
        f"{at}.notice": Menu(
            (notice, "speak.ready"),
            keys={"1": f"{at}.agreed_to_record", REFUSE: f"{at}.declined"},
            keep={"1": KeepConsent("pressed", version), REFUSE: KeepConsent("refused", version)},
            next=f"{at}.record",
            timeout_seconds=2,
            patience=0,
            is_returnable=False,
        ),
        f"{at}.agreed_to_record": Remember({"consent": "pressed"}, then=f"{at}.record"),
        f"{at}.declined": Remember({"declined": "yes"}, then=f"{at}.not_recorded"),
        f"{at}.not_recorded": Say("speak.not_recorded", then=otherwise),
        f"{at}.record": Record(
            (EMERGENCY, "speak.after_beep"),
            key=topic_id or kind,
            topic_id=topic_id,
            kind=kind,
            notice_version=version,
            then=f"{at}.spoken",
            nothing=f"{at}.nothing",
        ),
        f"{at}.nothing": Choose(
            after_nothing,
            then={"again": f"{at}.unheard", "enough": f"{at}.enough", "stands": f"{at}.stands"},
            otherwise=f"{at}.enough",
        ),
        f"{at}.unheard": Remember({"was_empty": "yes"}, then=f"{at}.not_heard"),
        f"{at}.not_heard": Listen("speak.not_heard", then=f"{at}.record"),
        f"{at}.enough": Remember({"declined": "yes"}, then=f"{at}.no_matter"),
        f"{at}.no_matter": Say("speak.no_matter", then=otherwise),
        f"{at}.spoken": Remember({f"spoke.{topic_id or kind}": "yes"}, then=f"{at}.kept_speech"),
        f"{at}.kept_speech": Say("speak.kept", then=f"{at}.review"),
    }


def _review(at: str, then: str) -> dict[str, Step]:
    """Keep it, listen, say it again. Hanging up keeps it; a first version goes when a second is there."""
    return {
        f"{at}.review": Menu(
            "speak.review",
            keys={"1": then, "2": f"{at}.playback", "3": f"{at}.again"},
            next=then,
            is_returnable=False,
        ),
        f"{at}.playback": Listen(
            ("speak.playback", Prompt("speak.own_words", {"sound": KnownSounds("recordings")})),
            then=f"{at}.review",
        ),
        f"{at}.again": Remember({"replaces": Known("key"), "was_empty": ""}, then=f"{at}.say_again"),
        f"{at}.say_again": Listen("speak.again", then=f"{at}.record"),
        f"{at}.stands": Say("speak.first_stands", then=then),
    }


def _may_we_call(at: str, view: CommunityView, then: str) -> dict[str, Step]:
    """May we call when there is a reply? Asked once, of those who press keys; not answering means no."""
    asked = "asked_to_call"
    return {
        f"{at}.{asked}": Choose(Fact(asked), then={"yes": then}, otherwise=f"{at}.asks_to_call"),
        f"{at}.asks_to_call": Remember({asked: "yes"}, then=f"{at}.may_we_call"),
        f"{at}.may_we_call": Menu(
            "may_we_call.ask",
            keys={"1": f"{at}.we_may", "2": f"{at}.we_may_not"},
            keep={"1": _call_consent("pressed", view), "2": _call_consent("refused", view)},
            next=then,
            patience=0,
            is_returnable=False,
        ),
        f"{at}.we_may": Say("may_we_call.yes", then=then),
        f"{at}.we_may_not": Say("may_we_call.no", then=then),
    }


def _call_consent(answer: Literal["pressed", "refused"], view: CommunityView) -> KeepConsent:
    return KeepConsent(answer, view.notice_version, purpose="call_back")


def _receipt(then: str) -> Say:
    return Say(Prompt("receipt.twice", {"receipt": Recall("receipt")}, is_slow=True), then=then)


def _call_back(kept: str, then: str) -> Menu:
    return Menu(
        "call_back.ask",
        keys={"1": kept, "2": then},
        keep={"1": KeepRequest("person")},
        next=then,
        is_returnable=False,
    )
