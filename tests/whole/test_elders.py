"""Ten simulated elders call at once: real exchange, web, worker, Redis and ears; scored by the records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from sqlalchemy import select

from admin.parts import open_clips
from ivr.exchange.errors import ExchangeError
from ivr.exchange.sound import from_floats
from ivr.prompts.render import render
from speech.audio import PHONE_RATE, resample
from speech.pacing import speak
from speech.synthesize import load_synthesizer
from sync.people import find_number
from sync.records.tables import Call, Capture, Opinion, Transcript
from tests.conftest import found_community
from tests.prompts.rich import enrich
from tests.prompts.tone_synthesizer import ToneSynthesizer
from tests.whole.elders import ELDERS, Elder
from tests.whole.outcome import Outcome, outcome, sounds
from tests.whole.town import Town, town, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SPEED = 5.0
TROUBLE = "the script broke off"
SENTENCE = "楼道里的灯坏了好几天，晚上看不见路，希望早点修好。"
LIFT, CANTEEN = "tp_电梯", "tp_食堂"


@dataclass(frozen=True)
class Score:
    """What must be in the records afterwards. `seconds` bounds all recorded sound."""

    ballots: tuple[tuple[int, str, str], ...] = ()
    opinions: tuple[tuple[str | None, str], ...] = ()  # topic, release
    segments: int = 0
    seconds: tuple[float, float] = (0, 0)
    consents: tuple[tuple[str, str], ...] = ()  # purpose, answer
    reactions: tuple[str, ...] = ()
    calls: int = 1
    is_slow: bool = False


SCORES = {
    "silent": Score(
        opinions=((LIFT, "none"),),
        segments=1,
        seconds=(4, 40),
        consents=(("recording", "spoke_after_notice"),),
    ),
    "slow": Score(ballots=((1, LIFT, "agree"),), is_slow=True),
    "double_tapping": Score(ballots=((1, LIFT, "disagree"),)),
    "wrong_keys": Score(ballots=((1, LIFT, "agree"),)),
    "hangs_up_early": Score(
        ballots=((1, LIFT, "disagree"),),
        opinions=((LIFT, "none"),),
        segments=1,
        seconds=(4, 12),
        consents=(("recording", "pressed"),),
    ),
    "speaks_before_the_beep": Score(
        ballots=((1, LIFT, "agree"),),
        opinions=((LIFT, "none"),),
        segments=1,
        seconds=(3, 20),
        consents=(("recording", "spoke_after_notice"),),
    ),
    "keeps_talking": Score(
        ballots=((1, LIFT, "pass"),),
        opinions=((LIFT, "none"),),
        segments=2,
        seconds=(158, 172),
        consents=(("neighbours_words", "refused"), ("recording", "pressed")),
    ),
    "second_voter": Score(ballots=((1, LIFT, "agree"), (2, LIFT, "disagree")), calls=2),
    "refuses_recording": Score(
        ballots=((1, LIFT, "agree"),), consents=(("recording", "refused"),), reactions=("agree",), calls=2
    ),
    "drops_and_calls_back": Score(
        ballots=((1, LIFT, "agree"),),
        opinions=((LIFT, "voice"),),
        segments=1,
        seconds=(4, 12),
        consents=(("neighbours_voice", "pressed"), ("recording", "pressed")),
        calls=2,
    ),
}


def number_of(elder: Elder) -> str:
    """Everybody calls from a number of their own."""
    return f"+86136{ELDERS.index(elder):08}"


@pytest.fixture(scope="module")
def sentence() -> bytes:
    """A sentence in a real voice, as a telephone hears it."""
    spoken = resample(speak(SENTENCE, load_synthesizer("kokoro")), PHONE_RATE)
    return from_floats(np.asarray(spoken.samples))


@pytest.fixture(scope="module")
def after(
    tmp_path_factory: pytest.TempPathFactory, sentence: bytes
) -> Iterator[tuple[Town, dict[str, list[str]]]]:
    """A town in which all ten have called at the same time, and what each of them heard."""
    with town(tmp_path_factory.mktemp("elders"), recognizer="real", speed=SPEED) as place:
        enrich(place.archive, found_community(place.archive))
        render(place.archive, open_clips(place.settings, place.archive), ToneSynthesizer(), "cm_test")
        for name in ("redis", "web", "exchange", "worker"):
            place.start(name)
        heard = asyncio.run(everybody_calls(place, sentence))
        until(lambda: is_quiet(place), 300, "everything said is turned into words")
        yield place, heard


async def everybody_calls(place: Town, sentence: bytes) -> dict[str, list[str]]:
    """All ten at once, a moment apart."""

    async def call(elder: Elder) -> list[str]:
        await asyncio.sleep(0.3 * ELDERS.index(elder))
        try:
            return await elder(place, number_of(elder), sentence)
        except (ExchangeError, TimeoutError) as trouble:
            return [f"{TROUBLE}: {trouble!r}"]

    heard = await asyncio.gather(*(call(elder) for elder in ELDERS))
    return {elder.__name__: captions for elder, captions in zip(ELDERS, heard, strict=True)}


def is_quiet(place: Town) -> bool:
    """Whether nothing is left to do."""
    with place.archive.database.read() as session:
        pending = session.scalars(select(Capture.id).where(Capture.state == "pending").limit(1)).first()
        waiting = session.scalars(select(Opinion.id).where(Opinion.state == "waiting").limit(1)).first()
    tapes = any((place.plan.home / "spool").rglob("*.tape"))
    return pending is None and waiting is None and not tapes


@pytest.mark.parametrize("elder", ELDERS, ids=lambda elder: elder.__name__)
def test_an_elders_call_ends_in_the_records(after: tuple[Town, dict[str, list[str]]], elder: Elder) -> None:
    place, heard = after
    score = SCORES[elder.__name__]
    ended = outcome(place.archive, "cm_test", number_of(elder))
    assert ended.ballots == score.ballots, heard[elder.__name__]
    assert tuple((one[0], one[4]) for one in ended.opinions) == score.opinions, heard[elder.__name__]
    assert sum(one[5] for one in ended.opinions) == len(ended.recordings) == score.segments
    assert ended.consents == score.consents
    assert tuple(choice for _, choice in ended.reactions) == score.reactions
    assert all(recording == ("stored", True, True) for recording in ended.recordings)
    least, most = score.seconds
    assert least <= sum(sound.seconds for sound in sounds(place.archive, "cm_test", number_of(elder))) <= most
    check_calls(place, elder, ended)


def check_calls(place: Town, elder: Elder, ended: Outcome) -> None:
    """As many calls as were made, all over; the pace is kept; every opinion has its receipt and its words."""
    score = SCORES[elder.__name__]
    with place.archive.database.read() as session:
        number = find_number(session, place.archive, "cm_test", number_of(elder))
        assert number is not None
        assert number.is_slow == score.is_slow
        calls = session.scalars(select(Call).where(Call.number_id == number.id)).all()
        assert len(calls) == score.calls
        assert all(call.ended_at is not None and call.is_practice for call in calls)
        for opinion in session.scalars(select(Opinion).where(Opinion.person_id == calls[0].person_id)):
            words = session.scalars(
                select(Transcript.redacted).where(Transcript.opinion_id == opinion.id)
            ).one()
            assert opinion.state == "review"
            assert "灯" in (words or "") or "路" in (words or ""), words
    assert all(len(receipt) == 8 and receipt.isdecimal() for receipt in ended.receipts)


def test_a_silent_caller_is_led_to_a_kind_end(after: tuple[Town, dict[str, list[str]]]) -> None:
    said = "".join(after[1]["silent"])
    for part in (
        "电梯的背景",
        "也可以直接说说您的想法",
        "打120、119或110",
        "您的话收好了",
        "再给您说一遍",
        "再见",
    ):
        assert part in said


def test_nobody_was_hung_up_on_or_heard_of_trouble(after: tuple[Town, dict[str, list[str]]]) -> None:
    for name, captions in after[1].items():
        assert captions, name
        assert not captions[0].startswith(TROUBLE), (name, captions)
        assert not any("毛病" in caption or "对不住" in caption for caption in captions), name
