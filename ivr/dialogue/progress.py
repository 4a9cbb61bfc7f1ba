"""What became of it: the caller's own opinions, a typed receipt, the topics, what was broadcast."""

from __future__ import annotations

from ivr.dialogue.hearing_again import broadcast_steps, has_broadcast
from ivr.dialogue.keeps import KeepHeard, KeepSatisfaction
from ivr.dialogue.steps import (
    Choose,
    Fact,
    Intent,
    Known,
    Listen,
    Lookup,
    Memory,
    Menu,
    Number,
    Prompt,
    Remember,
    Same,
    Say,
    Step,
    passed_by,
    prompt,
)
from ivr.dialogue.turns import Text
from ivr.dialogue.view import CommunityView, OwnView, TopicView

STAGES = ("received", "assigned", "answered", "settled", "reopened")
MOST_OWN = 5
MOST_UPDATES = 3


def progress_steps(view: CommunityView, then: str) -> dict[str, Step]:
    """The steps behind key 3; afterwards the call goes on at `then`."""
    own = own_in_order(view)
    has_own, news = bool(own), _news(view, then)
    has_played = has_broadcast(view)
    return {
        "progress": Menu(
            (
                *(("progress.own",) if has_own else ()),
                "progress.receipt",
                "progress.topics",
                *(("progress.broadcast",) if has_played else ()),
            ),
            keys={
                **({"1": "own.1"} if has_own else {}),
                "2": "receipt",
                "3": "news",
                **({"4": "broadcast"} if has_played else {}),
            },
            next="own.1" if has_own else "news",
        ),
        **own_steps(own, then="news"),
        **_receipt(),
        **news,
        **broadcast_steps(view, then),
    }


def own_in_order(view: CommunityView) -> tuple[OwnView, ...]:
    """The caller's own opinions, those with an unheard reply first."""
    return tuple(sorted(view.own, key=lambda own: not _is_waiting(own)))[:MOST_OWN]


def has_waiting_reply(view: CommunityView) -> bool:
    """Whether a reply waits that this number has not heard."""
    return any(_is_waiting(own) for own in view.own)


def first_own(view: CommunityView) -> str:
    """Where key 3 leads: straight to a waiting reply, if there is one."""
    return "own.1" if has_waiting_reply(view) else "progress"


def _is_waiting(own: OwnView) -> bool:
    return own.is_new and own.reply is not None


# --- the caller's own opinions ---
def own_steps(own: tuple[OwnView, ...], then: str) -> dict[str, Step]:
    """The steps `own.1` … of these opinions; afterwards the call goes on at `then`."""
    steps: dict[str, Step] = {}
    for place, each in enumerate(own, start=1):
        following = f"own.{place + 1}" if place < len(own) else then
        told = _own_opinion(f"own.{place}", each, following)
        steps |= passed_by(told, following) if each.reply == "" else told
    return steps


def _own_opinion(at: str, own: OwnView, then: str) -> dict[str, Step]:
    about = prompt("own.about", title=Text(own.topic_title)) if own.topic_title else Prompt("own.about_other")
    stage = f"stage.{own.stage if own.stage in STAGES else 'received'}"
    if own.reply is None:
        return {at: Listen((about, stage), then=then)}
    reads = f"{at}.whose" if own.is_private else f"{at}.reply"
    pleased, displeased = (KeepSatisfaction(own.opinion_id, is_satisfied) for is_satisfied in (True, False))
    steps: dict[str, Step] = {
        at: Listen((about, stage), then=reads),
        **(_for_their_ears_only(at, own, then) if own.is_private else {}),
    }
    if own.stage == "settled" and not own.is_new:  # answered to satisfaction already: not asked again
        return steps | {f"{at}.reply": _reply(Text(own.reply), KeepHeard(own.opinion_id), then)}
    return steps | {
        f"{at}.reply": _reply(Text(own.reply), KeepHeard(own.opinion_id), f"{at}.satisfied"),
        **_satisfied(at, pleased, displeased, then),
    }


def _for_their_ears_only(at: str, own: OwnView, then: str) -> dict[str, Step]:
    """The last four digits of the receipt, three tries in a call: the telephone may be shared."""
    tries = f"mistyped.{at}"
    after_mistake = {"": f"{at}.once", "once": f"{at}.twice"}
    return {
        f"{at}.whose": Choose(Fact(tries), then={"often": f"{at}.no_match"}, otherwise=f"{at}.digits"),
        f"{at}.digits": Number("own.private", into="typed", count=4, then=f"{at}.match", skip=then),
        f"{at}.match": Choose(
            Same("typed", own.receipt[-4:]), then={"yes": f"{at}.reply"}, otherwise=f"{at}.mistyped"
        ),
        f"{at}.mistyped": Choose(Fact(tries), then=after_mistake, otherwise=f"{at}.often"),
        f"{at}.once": Remember({tries: "once"}, then=f"{at}.try_again"),
        f"{at}.twice": Remember({tries: "twice"}, then=f"{at}.try_again"),
        f"{at}.often": Remember({tries: "often"}, then=f"{at}.no_match"),
        f"{at}.try_again": Say("own.mistyped", then=f"{at}.digits"),
        f"{at}.no_match": Say("own.no_match", then=then),
    }


def _reply(reply: Text | Known, heard: Intent, then: str) -> Listen:
    """A reply counts as heard when it is over or skipped, not when the caller hangs up in the middle."""
    return Listen(("reply.here", prompt("reply.words", reply=reply)), then=then, keep=(heard,))


def _satisfied(at: str, pleased: Intent, displeased: Intent, then: str) -> dict[str, Step]:
    """Satisfied with the reply? 1 yes, 2 no, which reopens the matter."""
    return {
        f"{at}.satisfied": Menu(
            "reply.satisfied_or_not",
            keys={"1": f"{at}.pleased", "2": f"{at}.displeased"},
            keep={"1": pleased, "2": displeased},
            next=then,
        ),
        f"{at}.pleased": Say("reply.satisfied", then=then),
        f"{at}.displeased": Say("reply.reopened", then=then),
    }


# --- a typed receipt ---
def _receipt() -> dict[str, Step]:
    """From the phone that gave it: everything. From another: the stage. The records lock after five tries."""
    return {
        "receipt": Number("receipt.ask", into="typed", count=8, then="receipt.typed", skip="news"),
        "receipt.typed": Remember({"opinion_id": "", "stage": "", "reply": ""}, then="receipt.find"),
        "receipt.find": Lookup(
            "find_receipt",
            {"receipt": Known("typed")},
            then={"own": "receipt.own", "other": "receipt.other", "locked": "receipt.locked"},
            otherwise="receipt.unknown",
        ),
        "receipt.unknown": Say("receipt.unknown", then="receipt"),
        "receipt.locked": Say("receipt.locked", then="news"),
        "receipt.other": Say("receipt.other", then="receipt.other_stage"),
        **_stages("receipt.other", then="receipt.more"),
        "receipt.own": Say("receipt.own", then="receipt.own_stage"),
        **_stages("receipt.own", then="receipt.answered"),
        "receipt.answered": Choose(has_reply, then={"yes": "receipt.reply"}, otherwise="receipt.more"),
        "receipt.reply": _reply(Known("reply"), _heard, "receipt.satisfied"),
        **_satisfied("receipt", _pleased, _displeased, "receipt.more"),
        "receipt.more": Menu("receipt.more", keys={"1": "receipt"}, next="news"),
    }


def _stages(at: str, then: str) -> dict[str, Step]:
    steps = {stage: f"{at}.{stage}" for stage in STAGES}
    choose = Choose(Fact("stage"), then=steps, otherwise=f"{at}.received")
    return {
        f"{at}_stage": choose,
        **{step: Say(f"stage.{stage}", then=then) for stage, step in steps.items()},
    }


def has_reply(memory: Memory) -> str:
    """`yes` when the records told a reply."""
    return "yes" if memory.get("reply") else "no"


def _heard(memory: Memory) -> KeepHeard:
    return KeepHeard(memory.get("opinion_id", ""))


def _pleased(memory: Memory) -> KeepSatisfaction:
    return KeepSatisfaction(memory.get("opinion_id", ""), True)


def _displeased(memory: Memory) -> KeepSatisfaction:
    return KeepSatisfaction(memory.get("opinion_id", ""), False)


# --- the topics ---
def _news(view: CommunityView, then: str) -> dict[str, Step]:
    """What became of the topics: a decision first, then the newest updates."""
    told = tuple(topic for topic in view.topics if topic.updates or topic.decision)
    if not told:
        return {"news": Say("news.none", then=then)}
    steps: dict[str, Step] = {"news": Say("news.topics", then="news.1")}
    for place, topic in enumerate(told, start=1):
        following = f"news.{place + 1}" if place < len(told) else then
        steps[f"news.{place}"] = Listen(_told(topic), then=following)
    return steps


def _told(topic: TopicView) -> tuple[Prompt, ...]:
    decision = (prompt("news.decision", decision=Text(topic.decision)),) if topic.decision else ()
    updates = (prompt("news.update", update=Text(update)) for update in topic.updates[:MOST_UPDATES])
    return (prompt("news.about", title=Text(topic.title)), *decision, *updates)
