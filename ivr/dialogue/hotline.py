"""The inbound hotline: the whole call as a table of steps, built from what it sees of its community.

Read it from the top: a greeting, a menu of three, behind it a topic (`topic.py`), speaking (`speaking.py`)
and progress (`progress.py`). Saying nothing at all leads through the current topic to the beep.
"""

from __future__ import annotations

from ivr.dialogue.keeps import KeepPace
from ivr.dialogue.linking import linking_steps
from ivr.dialogue.progress import first_own, has_waiting_reply, progress_steps
from ivr.dialogue.speaking import message_steps, speaking_steps
from ivr.dialogue.steps import Dial, End, Flow, Menu, Prompt, Say, Step, prompt
from ivr.dialogue.topic import topic_steps
from ivr.dialogue.turns import Text
from ivr.dialogue.view import CommunityView, TopicView

MENU_SECONDS = 8
MOST_TOPICS_TO_SPEAK_ON = 3
UNFINISHED = ("listen", "ballot", "standing", "notice", "record")


def hotline(view: CommunityView) -> Flow:
    """The flow of one call to this community."""
    topics = tuple(topic for topic in view.topics if is_open(topic))
    steps: dict[str, Step] = {}
    followings = [*(f"topic.{topic.topic_id}.listen" for topic in topics[1:]), "finish"]
    for topic, following in zip(topics, followings, strict=False):
        steps |= topic_steps(view, topic, following)
    steps |= speaking_steps("other", view, then="finish", otherwise="finish")
    steps |= message_steps(view, then="finish")
    steps |= progress_steps(view, then="finish")
    steps |= linking_steps(then="finish") if view.may_link else {}
    table = _opening(view, topics, steps) | _menu(view, topics) | steps
    table |= person_steps(view, then="main") | _finish(view)
    return Flow("hotline", "greeting", table, home="main", person="person", is_slow=view.is_slow)


def is_open(topic: TopicView) -> bool:
    """Whether a topic still takes ballots and opinions."""
    return topic.is_open and topic.decision is None


def resumes_at(dropped: str | None, steps: dict[str, Step]) -> str | None:
    """Where a call that broke off at `dropped` may go on: never past a notice, nor once its work is done."""
    section, _, name = (dropped or "").rpartition(".")
    if name not in UNFINISHED:
        return None
    for target in (f"{section}.speak" if name in ("notice", "record") else "", f"{section}.listen"):
        if target in steps:
            return target
    return None


# --- the first words ---
def _opening(view: CommunityView, topics: tuple[TopicView, ...], steps: dict[str, Step]) -> dict[str, Step]:
    resumed = resumes_at(view.resume_step, steps)
    welcome = "reply_waiting" if has_waiting_reply(view) else "main" if topics else "no_topics"
    opening: dict[str, Step] = {
        "greeting": Say(prompt("greeting", name=Text(view.name)), then="resume" if resumed else welcome)
    }
    if resumed:
        opening["resume"] = Menu(
            "menu.resume",
            keys={"1": resumed, "2": welcome},
            next=welcome,
            timeout_seconds=MENU_SECONDS,
            patience=0,
            is_returnable=False,
        )
    if has_waiting_reply(view):
        opening["reply_waiting"] = Say("menu.reply_waiting", then="main")
    if welcome == "no_topics":
        opening["no_topics"] = Say("menu.no_topics", then="main")
    return opening


def _menu(view: CommunityView, topics: tuple[TopicView, ...]) -> dict[str, Step]:
    speak, progress = "about" if topics else "other.speak", first_own(view)
    keys = {"2": speak, "3": progress}
    says, hear = "menu.main_without_topics", "other.speak"
    if topics:
        says, hear = "menu.main", f"topic.{topics[0].topic_id}.listen"
        keys = {"1": hear, **keys}
    minute = "help.minute" if topics else "help.minute_without_topics"
    usage = "menu.first_call" if view.is_first_call else "menu.help"
    return {
        "main": Menu(
            (says, usage, "menu.person", "menu.just_wait"),
            keys={**keys, "4": "help"},
            next=hear,
            timeout_seconds=MENU_SECONDS,
            patience=0,
        ),
        **({"about": _about(topics[:MOST_TOPICS_TO_SPEAK_ON])} if topics else {}),
        "help": Menu(minute, keys=keys, next="pace", timeout_seconds=2, patience=0),
        "pace": Menu(
            "help.pace",
            keys={"1": "pace_slow", "2": "pace_normal"},
            keep={"1": KeepPace(is_slow=True), "2": KeepPace(is_slow=False)},
            next="main",
        ),
        "pace_slow": Say("help.slow", then="main"),
        "pace_normal": Say("help.normal", then="main"),
    }


def _about(topics: tuple[TopicView, ...]) -> Menu:
    """What does the caller want to speak about?"""
    last = str(len(topics) + 1)
    says = [
        Prompt(f"speak.about_{key}", {"title": Text(topic.title)})
        for key, topic in enumerate(topics, start=1)
    ]
    keys = {str(key): f"topic.{topic.topic_id}.speak" for key, topic in enumerate(topics, start=1)}
    return Menu((*says, f"speak.other_{last}"), keys={**keys, last: "other.speak"}, next="other.speak")


# --- a person, and the end ---
def person_steps(view: CommunityView, then: str) -> dict[str, Step]:
    """The steps `person…`; after speaking with somebody the call goes on at `then`."""
    if not view.person_number:
        return {"person": Say("person.none", then="message.speak")}
    return {
        "person": Dial(view.person_number, answered=then, unanswered="away", says="person.ringing"),
        "away": Say("person.away", then="message.speak"),
    }


def _finish(view: CommunityView) -> dict[str, Step]:
    says, more = ("finish.menu_link", {"3": "link"}) if view.may_link else ("finish.menu", {})
    return {
        "finish": Menu(says, keys={"1": "other.speak", "2": "progress", **more}, next="goodbye"),
        "goodbye": End("finish.goodbye"),
    }
