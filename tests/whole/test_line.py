"""A resident calls by a real telephone over SIP, votes, speaks, hangs up: what is heard, and what is kept."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pypinyin import lazy_pinyin
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID, read_story, seed
from admin.line_test import place_of
from admin.parts import open_clips, open_recognizer, open_synthesizer
from ivr.arrivals import EXCHANGE
from ivr.dialogue.called import CALLED_BACK
from ivr.exchange.sentences import espeak
from ivr.exchange.sound import decode, to_wav
from ivr.exchange.sound import silence as silence_of
from ivr.exchange.twiml import Document, Gather, Play, Prompt, Record, Say, parse
from ivr.prompts.voice import voice_of
from speech.audio import Audio, join, resample, silence, write_phone_wav, write_wav
from speech.pacing import Pace, speak
from speech.synthesize import MALE, Synthesizer
from sync.placing.policy import change_placing
from sync.records.tables import Call, CallTurn, Opinion, PlacedCall, PlacedTry, Transcript, record_id
from tests.live import AGAIN
from tests.whole.debian_phone import BARESIP, RATE, DebianPhone, debian_phone
from tests.whole.outcome import outcome
from tests.whole.phones import lifted
from tests.whole.test_browser_call import likeness
from tests.whole.town import Town, town, until

CALLER, NEIGHBOUR, REHEARSER = "13900004444", "13900004455", "+8613900004443"
HOTLINE = "hotline"
SAYS = "我觉得路灯应该装，晚上太黑，看不清路。"
KEYS = ("1", "#", "1", "2", "1")
"""To the first topic, on to its ballot, agree, say something, be recorded."""
WELL_SPOKEN, BALLOT, PATIENCE = 2, 2, 2
"""How many turns begin in the good voice; where among the keys the ballot is; after how many sentences this
caller knows what to press elsewhere.
"""
SPOKEN = str.maketrans("0123456789", "零一二三四五六七八九")
SAME = 0.9
MOST_SECONDS_A_SENTENCE = 30.0

pytestmark = [
    AGAIN,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        BARESIP is None, reason="NO BARESIP HERE: nobody called over SIP (apt install baresip-core)"
    ),
]


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianPhone]:
    """The telephone at a resident's home: whenever it rings somebody picks it up, says 喂 and waits."""
    folder = tmp_path_factory.mktemp("at_home")
    hello = silence_of(0.4) + espeak("喂", "zh") + silence_of(120.0)
    (folder / "hello.wav").write_bytes(to_wav(hello))
    with debian_phone(folder / "phone", folder / "hello.wav", NEIGHBOUR, manner="auto") as phone:
        yield phone


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, at_home: DebianPhone) -> Iterator[Town]:
    """A town with a line; whoever it calls is called through the telephone at home, as through a trunk."""
    out = {"TINGJIAN_OUT_LINE": "exchange", "TINGJIAN_SIP_OUT": at_home.address.rpartition("@")[2]}
    folder = tmp_path_factory.mktemp("town")
    with town(folder / "home", recognizer="real", TINGJIAN_SIP_RING_SECONDS="2", **out) as one:
        seed(one.archive, one.settings.home)
        for name in ("redis", "web", "exchange", "line", "worker"):
            one.start(name)
        yield one


def test_a_resident_is_heard_over_sip(place: Town, tmp_path: Path) -> None:
    engine = open_synthesizer(place.settings)
    render_beginning(place, engine)
    voice = tmp_path / "voice.wav"
    seconds = write_voice(voice, engine)
    with debian_phone(tmp_path / "phone", voice, CALLER) as phone:
        phone.dial(address_of(place))
        Conversation(place, phone).carry(KEYS, 2 * seconds + 0.5)
        recognised(place, phone)
        phone.hang_up()
    in_the_records(place)
    calls_itself(place)


def test_who_rings_and_hangs_up_or_is_refused_is_called_back_and_votes(
    place: Town, at_home: DebianPhone, tmp_path: Path
) -> None:
    """The whole round over SIP, for free: line, exchange, web, placer, and the same way out again."""
    place.start("placer")
    quiet = tmp_path / "quiet.wav"
    quiet.write_bytes(to_wav(silence_of(60.0)))
    with debian_phone(tmp_path / "phone", quiet, NEIGHBOUR) as phone:
        wants(place, missed_calls="canceled", quiet_hours=[])
        phone.ring(address_of(place))
        until(lambda: "CALL_RINGING" in phone.events, 10, f"it rings; {phone.events}")
        phone.hang_up()
        hung_up_at = time.monotonic()
        assert "CALL_ESTABLISHED" not in phone.events
        until(lambda: "CALL_ESTABLISHED" in at_home.events, 60, "called back within a minute")
        until(lambda: answer(place, 0, CALLED_BACK) is not None, 20, "a person has said hello")
        Conversation(place, at_home, CALLED_BACK).carry(KEYS[:3])
        assert time.monotonic() - hung_up_at > 5
        voted = ((1, record_id("tp", "demo", "lamps"), "agree"),)
        number = f"+86{NEIGHBOUR}"
        until(lambda: outcome(place.archive, COMMUNITY_ID, number).ballots == voted, 30, "the vote")
        at_home.hang_up()
        until(lambda: placed_calls(place) == [("reached", "human", "completed")], 20, "it is over")

        at_home.events.clear()
        phone.events.clear()
        wants(place, missed_calls="always")
        phone.ring(address_of(place))
        until(lambda: "CALL_CLOSED" in phone.events, 10, f"refused; {phone.events}")
        assert "CALL_ESTABLISHED" not in phone.events  # nobody has answered: it cost nothing
        until(lambda: "CALL_ESTABLISHED" in at_home.events, 60, "called back again")
        at_home.hang_up()


def wants(place: Town, **settings: Any) -> None:
    """What this community has set about the calls we place."""
    with place.archive.database.begin() as session:
        for name, value in settings.items():
            change_placing(session, COMMUNITY_ID, name, value, "test")


def placed_calls(place: Town) -> list[tuple[str, str | None, str]]:
    """Each call we place: what became of the wish, who answered, how it ended."""
    with place.archive.database.read() as session:
        rows = session.execute(
            select(PlacedCall.state, PlacedTry.answered_by, PlacedTry.status).join(
                PlacedTry, PlacedTry.placed_id == PlacedCall.id
            )
        )
        return [(state, by, status) for state, by, status in rows]


def address_of(place: Town) -> str:
    """Where the community is called."""
    assert place.settings.line
    return f"sip:{read_story()['community']['number']}@127.0.0.1:{place.settings.line.port}"


class Conversation:
    """Hears every sentence that web gave out, in order, and presses a key where keys are gathered."""

    def __init__(self, place: Town, phone: DebianPhone, flow: str = HOTLINE) -> None:
        self._place, self._phone, self._flow, self._at = place, phone, flow, 0

    def carry(self, keys: tuple[str, ...], seconds: float = 0.0) -> None:
        """Through all keys; to the beep then, where something is to be said: speak so long, and `#`."""
        waiting = list(keys)
        for document in documents(self._place, self._flow):
            prompts = self._prompts(document)
            is_gathering = any(isinstance(verb, Gather) for verb in document.verbs)
            for prompt in prompts[: _few(len(prompts), len(keys) - len(waiting)) if is_gathering else None]:
                self._hear(prompt)
            if any(isinstance(verb, Record) for verb in document.verbs):
                break
            if is_gathering:
                self._phone.press(waiting.pop(0))
                if not waiting and not seconds:
                    return
        assert not waiting
        begun = len(self._phone.heard())
        until(lambda: len(self._phone.heard()) > begun + int((1.0 + seconds) * RATE), seconds + 20, "spoken")
        self._phone.press("#")
        rest = documents(self._place, self._flow)
        until(lambda: any("Record" not in one.url for one in rest), 10, "the turn after the recording")

    def _prompts(self, document: Document) -> list[Prompt]:
        found: list[Prompt] = []
        for verb in document.verbs:
            found += verb.prompts if isinstance(verb, Gather) else ()
            found += [verb] if isinstance(verb, Say | Play) else []
        return found

    def _hear(self, prompt: Prompt) -> None:
        """Wait until the sentence has been heard, whole, after all the earlier ones."""
        wanted = sound_of(self._place, prompt)

        looked = 0

        def is_heard() -> bool:
            nonlocal looked
            heard = self._phone.heard()[self._at :].astype(np.float32) / 32768
            if len(heard) < max(len(wanted), looked + RATE // 2):
                return False
            looked = len(heard)
            at, same = place_of(wanted, heard)
            if same < SAME:
                return False
            self._at += at + len(wanted) - RATE // 10
            return True

        until(is_heard, MOST_SECONDS_A_SENTENCE, f"heard: {prompt}")


def _few(count: int, step: int) -> int:
    """How many sentences this caller listens to before pressing: at the ballot up to its last option."""
    return max(1, count - 1) if step == BALLOT else min(count, PATIENCE)


def documents(place: Town, flow: str) -> Iterator[Document]:
    """The documents web gave to the latest such call over SIP, one after another as they come."""
    n = 0
    while True:
        until(lambda n=n: answer(place, n, flow) is not None, 40, f"turn {n}")  # type: ignore[misc]
        yield parse(answer(place, n, flow) or "", place.base)
        n += 1


def answer(place: Town, n: int, flow: str = HOTLINE) -> str | None:
    """Document `n` of the latest call that was no practice."""
    with place.archive.database.read() as session:
        over_sip = select(Call.id).where(Call.handset == "sip", Call.flow == flow)
        call = over_sip.order_by(Call.began_at.desc()).limit(1)
        turn = select(CallTurn.answer).where(CallTurn.call_id == call.scalar_subquery(), CallTurn.n == n)
        return session.scalar(turn)


def sound_of(place: Town, prompt: Prompt) -> np.ndarray:
    """What a prompt sounds like, as the exchange makes it: its clip, or its words in the light voice."""
    if isinstance(prompt, Say):
        pcm = espeak(prompt.text, "zh")
    else:
        name = prompt.url.rpartition("/")[2].removesuffix(".wav")
        pcm = decode(open_clips(place.settings, place.archive).path(name).read_bytes())
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


def render_beginning(place: Town, engine: Synthesizer) -> None:
    """Clips in the good voice of what a caller hears first: what is recognised must be good to hear."""

    async def rehearse() -> list[str]:
        async with lifted(place, REHEARSER) as phone:
            await phone.press(*KEYS[: WELL_SPOKEN - 1])
            await phone.phone.wait_for_keys()
            with place.archive.database.read() as session:  # when the call is over, they are emptied
                said = select(CallTurn.answer).where(CallTurn.answer != "").order_by(CallTurn.n)
                return list(session.scalars(said))

    answers = asyncio.run(rehearse())
    with place.archive.database.read() as session:
        voice = voice_of(session, COMMUNITY_ID)
    clips = open_clips(place.settings, place.archive)
    for answered in answers[:WELL_SPOKEN]:
        for text, _ in parse(answered, place.base).words()[:PATIENCE]:
            sound = speak(text, engine, voice, Pace.NORMAL, "zh")
            clips.write(clips.name(text, voice), write_phone_wav(sound), write_wav(sound), text)


def write_voice(path: Path, engine: Synthesizer) -> float:
    """What the microphone hears again and again: a sentence and a pause, 8 kHz; its length in seconds."""
    spoken = engine.say(SAYS, voice=MALE)
    once = resample(join([spoken, silence(1.0, spoken.rate)]), RATE)
    path.write_bytes(write_wav(Audio(np.tile(once.samples, 20), RATE)))
    return once.seconds


def recognised(place: Town, phone: DebianPhone) -> None:
    """The good voice's sentences at the beginning of the call, recognised by the engine."""
    clips = open_clips(place.settings, place.archive)
    answers = [parse(answer(place, n) or "", place.base) for n in range(WELL_SPOKEN)]
    urls = [url for document in answers for url in document.sounds()[:PATIENCE]]
    said = [clips.caption(url.rpartition("/")[2].removesuffix(".wav")) for url in urls]
    heard = phone.heard().astype(np.float32) / 32768
    last = sound_of(place, Play(urls[-1]))
    heard = heard[: place_of(last, heard)[0] + len(last) + RATE // 2]
    words = open_recognizer(place.settings).transcribe(Audio(heard, RATE), "zh").text
    assert len(said) == WELL_SPOKEN * PATIENCE
    assert sounds_like(words, "".join(said)) >= 0.7, (words, said)


def in_the_records(place: Town) -> None:
    """The vote and the opinion, once, with the words that were said; no practice."""
    number = f"+86{CALLER}"
    until(lambda: outcome(place.archive, COMMUNITY_ID, number).ballots != (), 30, "the ballot")
    until(lambda: any(one[6] for one in outcome(place.archive, COMMUNITY_ID, number).opinions), 90, "words")
    left = outcome(place.archive, COMMUNITY_ID, number)
    assert left.ballots == ((1, record_id("tp", "demo", "lamps"), "agree"),)
    assert len(left.opinions) == 1
    assert left.recordings == (("stored", True, True),)
    assert ("recording", "pressed") in left.consents
    with place.archive.database.read() as session:
        said = select(Transcript.redacted).join(Opinion, Opinion.id == Transcript.opinion_id)
        words = session.scalars(said.where(Opinion.source == EXCHANGE)).one()
        over_sip = select(Call).where(Call.handset == "sip", Call.flow == HOTLINE)
        assert not session.scalars(over_sip).one().is_practice
    assert likeness(words or "", SAYS) >= 0.7, words


def calls_itself(place: Town) -> None:
    """`tingjian line test` tells which sentences it heard."""
    told = subprocess.run(
        [sys.executable, "-m", "admin", "line", "test", "--seconds", "5"],
        env={**os.environ, **place.plan.environment},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "您好，这里是  （" in told.stdout, told.stdout


def sounds_like(heard: str, said: str) -> float:
    """The share of the syllables of `said` that `heard` has in the same order: homophones fit."""
    wanted, found = (lazy_pinyin(text.translate(SPOKEN), errors="ignore") for text in (said, heard))
    matched = SequenceMatcher(None, found, wanted, autojunk=False).get_matching_blocks()
    return sum(block.size for block in matched) / len(wanted)
