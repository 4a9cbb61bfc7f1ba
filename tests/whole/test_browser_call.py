"""A resident calls from a real browser, votes, speaks; staff hear, approve, answer; the answer is heard."""

from __future__ import annotations

from pathlib import Path

import pytest
from rapidfuzz import fuzz
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID
from admin.parts import open_synthesizer
from admin.settings import Settings
from ivr.web.phone import PRACTICE_CALLER
from speech.audio import join, silence, write_wav
from speech.reading import read_digits
from speech.synthesize import MALE
from sync.archive import Archive
from sync.people import find_number
from sync.records.tables import Ballot, Call, Opinion, Person, Satisfaction, record_id
from tests.whole.browser import CHROMIUM, DeskPage, PhonePage, browsing
from tests.whole.browser_home import running_home
from tests.whole.outcome import outcome
from tests.whole.town import until

SAYS = "我觉得路灯应该装，晚上巷口太黑，看不清脚下的路。"
REPLY = "您说的路灯，下个星期开始装，一共八盏。"
PAUSE_SECONDS = 1.5
NUMBER = f"+86{PRACTICE_CALLER}"
LAMPS = record_id("tp", "demo", "lamps")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),  # it takes as long as two calls take; a busy machine takes longer to start
    pytest.mark.skipif(
        CHROMIUM is None, reason="NO CHROMIUM HERE: nobody called from a browser (apt install chromium)"
    ),
]


def test_a_resident_is_heard_and_answered_in_a_browser(tmp_path: Path) -> None:
    voice = tmp_path / "voice.wav"
    period = write_voice(voice)
    with running_home(tmp_path / "home") as home, browsing(voice) as page:
        phone, desk = PhonePage(page), DeskPage(page, home.base)
        try:
            page.goto(f"{home.base}/phone")
            receipt_words = first_call(phone, 2 * period + 0.5)
            desk.sign_in(*home.sign_in)
            seen_at_the_desk(desk, 2 * period)
            desk.approve()
            desk.reply(REPLY)
            desk.try_the_phone()
            second_call(phone)
            assert phone.problems == []
            in_the_records(home.archive, receipt_words)
        except BaseException as problem:
            problem.add_note(home.logs())
            raise
        assert home.stop() == 0


def write_voice(path: Path) -> float:
    """What the microphone hears again and again: a sentence in another voice than the hotline's; its length.

    The browser begins with it when the call begins, not at the beep: two periods hold one whole sentence.
    """
    spoken = open_synthesizer(Settings.from_environment({})).say(SAYS, voice=MALE)
    heard = join([spoken, silence(PAUSE_SECONDS, spoken.rate)])
    path.write_bytes(write_wav(heard))
    return heard.seconds


def first_call(phone: PhonePage, seconds: float) -> str:
    """Vote, speak, be heard by neighbours, get a receipt; the receipt in the words it was read in."""
    phone.call()
    phone.hears("您好，这里是")
    phone.hears_then("听听大家在商量的事，请按1", "1", by="mouse")
    phone.hears("东巷口要不要装路灯")
    phone.press("#", by="keyboard")
    phone.hears_then("同意，请按1", "1", by="mouse")
    phone.hears("给您记下了，您同意")
    phone.hears_then("说说您的想法，请按数字2", "2", by="keyboard")
    phone.hears_then("不想录音，请按8", "1", by="keyboard")
    phone.speaks(seconds)
    phone.hears("您的话收好了")
    phone.hears_then("就这样，请按1", "1", by="keyboard")
    phone.hears_then("由我念出来，请按1", "1", by="mouse")
    phone.hears("请您记一下受理号")
    phone.hears("再给您说一遍")
    receipt = phone.heard
    begin = next(place for place, caption in enumerate(receipt) if "请您记一下受理号" in caption)
    end = next(place for place, caption in enumerate(receipt) if "再给您说一遍" in caption)
    phone.hangs_up(by="keyboard")
    return "".join(receipt[begin + 1 : end])


def seen_at_the_desk(desk: DeskPage, seconds: float) -> None:
    """The caller's own words and sound."""
    desk.open_newest_practice(seconds=120)
    words = desk.words()
    assert likeness(words, SAYS) >= 0.7, words
    assert desk.fact("类别").split()[0] == "设施维修"
    assert desk.fact("渠道") == "电话"
    assert "练习" in desk.tags()
    assert desk.plays(1.5) >= seconds - 1


def second_call(phone: PhonePage) -> None:
    """The answer waits, is heard, and satisfies."""
    phone.call()
    phone.hears_then("您提的意见有回复了，要听请按数字3", "3", by="keyboard")
    phone.hears("给您的回复")
    phone.hears(REPLY)
    phone.hears_then("这样办，满意请按1", "1", by="mouse")
    phone.hears("谢谢您")
    phone.hangs_up(by="mouse")


def in_the_records(archive: Archive, receipt_words: str) -> None:
    """All of it once, and marked as practice."""
    until(lambda: satisfied(archive) is True, 30, "the satisfaction is settled")
    left = outcome(archive, COMMUNITY_ID, NUMBER)
    assert left.ballots == ((1, LAMPS, "agree"),)
    assert len(left.opinions) == 1
    topic, kind, state, stage, release, recordings, transcripts = left.opinions[0]
    assert (topic, kind, state, stage, release) == (LAMPS, "opinion", "approved", "settled", "words")
    assert (recordings, transcripts) == (1, 1)
    assert left.recordings == (("stored", True, True),)
    assert receipt_words == "；".join(read_digits(left.receipts[0]))
    once = {"ballot", "consent", "heard", "opinion", "release", "satisfaction"}
    assert set(left.captures) == {(kind, "merged", 1) for kind in once}
    assert left.created == (("ballot", "created", 1), ("opinion", "created", 1))
    assert ("recording", "pressed") in left.consents
    with archive.database.read() as session:
        number = find_number(session, archive, COMMUNITY_ID, NUMBER)
        assert number is not None
        people = select(Person.id).where(Person.number_id == number.id)
        for table in (Ballot, Opinion, Call):
            marks = session.scalars(select(table.is_practice).where(table.person_id.in_(people))).all()
            assert marks == [True] * (2 if table is Call else 1)


def satisfied(archive: Archive) -> bool | None:
    """What the caller answered to the reply."""
    with archive.database.read() as session:
        return session.scalar(select(Satisfaction.is_satisfied))


def likeness(heard: str, said: str) -> float:
    """How like `said` the likest stretch of `heard` is: the microphone says it again and again."""
    heard, said = ("".join(filter(str.isalnum, text)) for text in (heard, said))
    return fuzz.partial_ratio(said, heard) / 100
