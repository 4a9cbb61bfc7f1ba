"""One topic of the call: listen, choose, hear neighbours, speak, go on to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.dialogue.keeps import AGREE, DISAGREE, PASS, Keep, KeepBallot, KeepReaction, KeepSeat
from ivr.dialogue.speaking import speaking_steps
from ivr.dialogue.steps import (
    Choose,
    Fact,
    Known,
    Listen,
    Lookup,
    Memory,
    Menu,
    Prompt,
    Say,
    Says,
    Step,
    passed_by,
    prompt,
)
from ivr.dialogue.turns import Sound, Text
from ivr.dialogue.view import CommunityView, TopicView, VoiceView

MOST_VOICES = 3
MOST_OPTIONS = 4
MOST_SEATS = 4
WORDS = {AGREE: "agree", DISAGREE: "disagree", PASS: "pass"}
SO_FAR = {AGREE: "result.agree", DISAGREE: "result.disagree", PASS: "result.pass"}


def topic_steps(view: CommunityView, topic: TopicView, following: str) -> dict[str, Step]:
    """The steps `topic.<id>.…`; afterwards the call goes on at `following`."""
    at = f"topic.{topic.topic_id}"
    voices = topic.voices[:MOST_VOICES]
    first = next((f"{at}.voice.{place}" for place, each in enumerate(voices, 1) if not each.is_gone), "")
    return {
        f"{at}.listen": Listen(
            (
                prompt("topic.title", title=Text(topic.title)),
                prompt("topic.background", background=Text(topic.background)),
            ),
            then=f"{at}.standing",
        ),
        **_standing(at, topic, min(view.seats, MOST_SEATS)),
        f"{at}.ballot": _ballot(at, topic),
        **_read_back(at, topic),
        f"{at}.after": Menu(
            (
                *(("after.neighbours",) if first else ()),
                "after.speak",
                "after.choose",
                *(("after.result",) if topic.tells_voters else ()),
                "after.next",
            ),
            keys={
                **({"1": first} if first else {}),
                "2": f"{at}.speak",
                "3": f"{at}.standing",
                **({"4": f"{at}.result"} if topic.tells_voters else {}),
            },
            next=following,
            silence=f"{at}.invite",
        ),
        **_voices(at, voices, first),
        **(_result(at, topic) if topic.tells_voters else {}),
        f"{at}.invite": Choose(
            Uninvited(topic.topic_id),
            then={"invite": f"{at}.invitation", "leave": following},
            otherwise=following,
        ),
        f"{at}.invitation": Say("after.invitation", then=f"{at}.speak"),
        **speaking_steps(at, view, then=f"{at}.after", otherwise=following, topic_id=topic.topic_id),
    }


@dataclass(frozen=True)
class Uninvited:
    """`invite` while the caller has not spoken on this topic nor declined to be recorded, else `leave`."""

    topic_id: str

    def __call__(self, memory: Memory) -> str:
        has_spoken = bool(memory.get(f"spoke.{self.topic_id}"))
        return "leave" if has_spoken or memory.get("declined") else "invite"


# --- the ballot ---
def _ballot(at: str, topic: TopicView) -> Menu:
    """Keys count from its first word on, and that is the first choice: the background was another step."""
    choices = _choices(topic)
    says: Says = ("ballot.agree_or_not", "ballot.skip")
    if topic.options:
        options = [
            Prompt(f"ballot.option_{key}", {"option": Text(label)})
            for key, (_, label) in enumerate(topic.options[:MOST_OPTIONS], start=1)
        ]
        says = (*options, "ballot.skip")
    return Menu(
        says,
        keys={key: f"{at}.kept.{key}" for key in choices},
        keep={key: KeepBallot(topic.topic_id, choice) for key, choice in choices.items()},
        next=f"{at}.after",
        silence=f"{at}.invite",
    )


def _choices(topic: TopicView) -> dict[str, str]:
    choices = [choice for choice, _ in topic.options[:MOST_OPTIONS]] or [AGREE, DISAGREE, PASS]
    return {str(key): choice for key, choice in enumerate(choices, start=1)}


def _read_back(at: str, topic: TopicView) -> dict[str, Step]:
    labels = dict(topic.options)
    return {
        f"{at}.kept.{key}": Say(
            prompt("ballot.kept_option", option=Text(labels[choice]))
            if topic.options
            else f"ballot.kept_{WORDS[choice]}",
            then=f"{at}.after",
        )
        for key, choice in _choices(topic).items()
    }


# --- who in this home is voting ---
def _standing(at: str, topic: TopicView, seats: int) -> dict[str, Step]:
    """A number that has voted is asked who speaks. What was chosen stays unsaid: it may be another's."""
    free = {str(seat): f"{at}.seat.{seat}" for seat in range(1, seats + 1)}
    return {
        f"{at}.standing": Lookup(
            "standing_ballot",
            {"topic_id": topic.topic_id},
            then={"none": f"{at}.ballot", "voted": f"{at}.who", "full": f"{at}.seat.full"},
            otherwise=f"{at}.ballot",
        ),
        f"{at}.who": Choose(Fact("next_seat"), then=free, otherwise=f"{at}.seat.full"),
        **{step: _change_or_next(at, int(seat)) for seat, step in free.items()},
        f"{at}.seat.full": _change_one_of(at, seats),
    }


def _change_or_next(at: str, free: int) -> Menu:
    """Some seats have voted and seat `free` has not. With one voter known, no need to say which."""
    if free <= 2:
        return _seat_menu(at, ("seat.change", "seat.someone_else"), {"1": None, "2": KeepSeat(free)})
    voted = {str(seat): KeepSeat(seat) for seat in range(1, free)}
    says = (*(f"seat.change_{seat}" for seat in voted), f"seat.new_{free}")
    return _seat_menu(at, ("seat.voted", *says), {**voted, str(free): KeepSeat(free)})


def _change_one_of(at: str, seats: int) -> Menu:
    if seats == 1:
        return _seat_menu(at, ("seat.change",), {"1": None})
    voted = {str(seat): KeepSeat(seat) for seat in range(1, seats + 1)}
    return _seat_menu(at, ("seat.voted", *(f"seat.change_{seat}" for seat in voted)), voted)


def _seat_menu(at: str, says: tuple[str, ...], seats: Mapping[str, KeepSeat | None]) -> Menu:
    return Menu(
        (*says, "seat.leave"),
        keys=dict.fromkeys(seats, f"{at}.ballot"),
        keep={key: keep for key, keep in seats.items() if keep is not None},
        next=f"{at}.after",
    )


# --- the result so far ---
def _result(at: str, topic: TopicView) -> dict[str, Step]:
    """Only for who has voted: nobody is to choose what others chose."""
    labels = dict(topic.options)
    told = (
        prompt("result.option", option=Text(labels[choice]), count=Known(f"chose.{choice}"))
        if topic.options
        else prompt(SO_FAR[choice], count=Known(f"chose.{choice}"))
        for choice in _choices(topic).values()
    )
    return {
        f"{at}.result": Lookup(
            "running_result",
            {"topic_id": topic.topic_id},
            then={"told": f"{at}.result.told", "vote_first": f"{at}.result.vote_first"},
            otherwise=f"{at}.result.vote_first",
        ),
        f"{at}.result.told": Listen(("result.so_far", *told), then=f"{at}.after"),
        f"{at}.result.vote_first": Say("result.vote_first", then=f"{at}.after"),
    }


# --- neighbours ---
def _voices(at: str, voices: tuple[VoiceView, ...], first: str) -> dict[str, Step]:
    """Each keeps its number when another is taken back: who stands there must not answer somebody else."""
    steps: dict[str, Step] = {}
    for place, voice in enumerate(voices, start=1):
        following = f"{at}.voice.{place + 1}" if place < len(voices) else f"{at}.after"
        name = f"{at}.voice.{place}"
        heard = _voice(name, "voice.first" if name == first else "voice.another", voice, following)
        steps |= passed_by(heard, following) if voice.is_gone else heard
    return steps


def _voice(at: str, opening: str, voice: VoiceView, following: str) -> dict[str, Step]:
    words = (
        prompt("voice.own", sound=Sound(voice.recording_id))
        if voice.recording_id
        else prompt("voice.words", words=Text(voice.words))
    )
    reactions: dict[str, Keep] = {
        "1": KeepReaction(voice.opinion_id, AGREE),
        "2": KeepReaction(voice.opinion_id, DISAGREE),
    }
    return {
        at: Listen((opening, words), then=f"{at}.react"),
        f"{at}.react": Menu(
            "voice.react", keys={"1": f"{at}.agreed", "2": f"{at}.disagreed"}, keep=reactions, next=following
        ),
        f"{at}.agreed": Say("voice.agreed", then=following),
        f"{at}.disagreed": Say("voice.disagreed", then=following),
    }
