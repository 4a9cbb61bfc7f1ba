"""One whole call told as a story: heard, pressed, said, recognised, merged, answered, and heard again."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from sqlalchemy import select

from admin.card import spoken_groups
from admin.demo.caller import Caller, listener
from admin.demo.seed import COMMUNITY_ID
from admin.pages.reading import read_opinion
from admin.parts import exchange_token, open_clips, open_synthesizer
from admin.settings import Settings
from ivr.exchange.scripted import ScriptedPhone
from ivr.exchange.tickets import make_ticket
from ivr.prompts.book import Book
from ivr.prompts.voice import voice_of
from speech.audio import Audio, read_audio, resample
from speech.synthesize import MALE
from sync import desk
from sync.archive import Archive
from sync.desk import Actor, DeskError
from sync.people import find_number
from sync.queue import WorkQueue
from sync.records.tables import Ballot, Community, Opinion, Person, Satisfaction, Topic

SAYS = "我觉得路灯应该装，去年我邻居就在巷口摔了一跤，晚上黑得看不见路。"
REPLY = "您说的路灯，下个星期开始装，一共八盏，灯罩朝下，不会照进窗户。"
_PHONE_RATE = 8000
_PATIENCE_SECONDS = 180.0
_CHOICES = {"agree": "同意 · agree", "disagree": "不同意 · disagree", "pass": "说不好 · pass"}
_FIRST_CALL = {"after.speak": "2", "speak.review": "1", "release.ask": "1"}
_SECOND_CALL = {"menu.reply_waiting": "3", "reply.satisfied_or_not": "1"}


class StoryError(Exception):
    """The story could not be told to its end; the message says where it broke off."""


@dataclass(frozen=True)
class Story:
    """What one telling works with."""

    settings: Settings
    archive: Archive
    out: Console
    says: str = SAYS

    def tell(self, keys: Sequence[str], recording: Path | None = None) -> None:
        """Tell it: a call, the records, a reply, the second call. Raises StoryError."""
        voice = self._voice(recording)
        number = f"+861380001{secrets.randbelow(10_000):04}"
        with self.archive.database.read() as session:
            community = session.get_one(Community, COMMUNITY_ID)
        self._title(f"第一通电话 · the first call → {spoken_groups(community.dialled_number)}")
        self._call(number, community.dialled_number, _FIRST_CALL, ["finish.menu", "after.next"], keys, voice)
        opinion_id = self._records(number)
        self._answer(opinion_id)
        self._title("第二通电话 · the second call")
        self._call(
            number, community.dialled_number, _SECOND_CALL, ["reply.satisfied", "news.topics"], (), b""
        )
        self._end(opinion_id)

    def _call(
        self,
        number: str,
        dialled: str,
        reactions: dict[str, str],
        leaves_at: Sequence[str],
        keys: Sequence[str],
        voice: bytes,
    ) -> None:
        async def call() -> None:
            ticket = make_ticket(exchange_token(self.archive), "terminal")
            phone = ScriptedPhone(self.settings.phone_url, ticket, number, dialled, listener(self._note))
            async with phone:
                await Caller(phone, Book.load("zh"), self._note, reactions, leaves_at, voice).call(keys)

        asyncio.run(call())

    # --- what became of it ---
    def _records(self, number: str) -> str:
        """The transcript, the category and the merged records of the newest caller; the opinion's id."""
        self._title("记录里 · in the records")
        person_id = self._person(number)
        opinion = self._wait_for_words(person_id)
        with self.archive.database.read() as session:
            found = read_opinion(session, self.archive, COMMUNITY_ID, opinion.id)
            ballots = session.execute(
                select(Topic.title, Topic.options, Ballot.choice, Ballot.evidence, Ballot.channel)
                .join(Topic, Topic.id == Ballot.topic_id)
                .where(Ballot.person_id == person_id)
            ).all()
        for title, options, choice, evidence, channel in ballots:
            said = dict(options).get(choice, _CHOICES.get(choice, choice))
            self._line("选票 · ballot", f"{title}：{said}（{channel}，{evidence}）")
        words = found.words if found else None
        self._line("听写 · transcript", words or "（听不清，请人来听 · needs listening）")
        self._line("类别 · category", opinion.category or "–")
        self._line("回执 · receipt", opinion.receipt or "–")
        self._line("状态 · state", f"{opinion.state} / {opinion.stage} / {opinion.release}")
        return opinion.id

    def _answer(self, opinion_id: str) -> None:
        """A staff member approves and replies; the prompts worker puts the reply into sound."""
        self._title("工作人员 · at the desk")
        actor, now = Actor("demo", COMMUNITY_ID), datetime.now(UTC)
        try:
            desk.approve(self.archive, actor, opinion_id, now)
        except DeskError:  # nothing could be recognised: a person types what was said
            desk.correct(self.archive, actor, opinion_id, SAYS, now)
            desk.approve(self.archive, actor, opinion_id, now)
        desk.reply(self.archive, actor, opinion_id, REPLY, now)
        self._line("回复 · reply", REPLY)
        WorkQueue(self.settings.redis_url).put("render", community_id=COMMUNITY_ID)
        clips = open_clips(self.settings, self.archive)
        with self.archive.database.read() as session:
            voice = voice_of(session, COMMUNITY_ID)
        with self.out.status("回复变成声音…… · putting the reply into sound"):
            self._until(lambda: clips.find(REPLY, voice, False, COMMUNITY_ID) is not None, is_needed=False)

    def _end(self, opinion_id: str) -> None:
        self._title("最后 · in the end")

        def satisfied() -> bool | None:
            with self.archive.database.read() as session:
                return session.scalar(
                    select(Satisfaction.is_satisfied).where(Satisfaction.opinion_id == opinion_id)
                )

        self._until(lambda: satisfied() is not None)
        with self.archive.database.read() as session:
            stage = session.get_one(Opinion, opinion_id).stage
        self._line("满意 · satisfied", "是 · yes" if satisfied() else "否 · no")
        self._line("办理 · stage", stage)

    # --- waiting ---
    def _person(self, number: str) -> str:
        with self.archive.database.read() as session:
            row = find_number(session, self.archive, COMMUNITY_ID, number)
            if row is None:
                raise StoryError("the call left no trace in the records")
            return session.scalars(select(Person.id).where(Person.number_id == row.id)).one()

    def _wait_for_words(self, person_id: str) -> Opinion:
        def newest() -> Opinion | None:
            with self.archive.database.read() as session:
                mine = select(Opinion).where(Opinion.person_id == person_id).order_by(Opinion.said_at.desc())
                return session.scalar(mine.limit(1))

        def is_ready() -> bool:
            opinion = newest()
            return opinion is not None and opinion.state != "waiting"

        with self.out.status("录音取回、听写、合并…… · fetching, recognising, merging"):
            self._until(is_ready)
        opinion = newest()
        assert opinion is not None
        return opinion

    def _until(self, is_so: Callable[[], bool], is_needed: bool = True) -> None:
        """Wait; for what is only nice to have, a quarter as long."""
        give_up_at = time.monotonic() + _PATIENCE_SECONDS / (1 if is_needed else 4)
        while not is_so():
            if time.monotonic() > give_up_at:
                if is_needed:
                    raise StoryError("the worker did not come to it in time; see logs/worker.log")
                return
            time.sleep(0.3)

    # --- telling ---
    def _voice(self, recording: Path | None) -> bytes:
        """What the caller says, as the telephone carries it."""
        if recording is not None:
            audio = read_audio(recording)
        else:
            with self.out.status("准备来电人的声音…… · preparing the caller's voice"):
                audio = open_synthesizer(self.settings).say(SAYS, voice=MALE)
        return _phone_pcm(audio)

    def _note(self, what: str, words: str) -> None:
        match what:
            case "heard":
                self._line("听见 · heard", words)
            case "pressed":
                self._line("按键 · pressed", f"[bold]{escape(words)}[/]", is_plain=False)
            case "spoke":
                self._line("说话 · spoke", self.says)
            case _:
                self._line("挂断 · hung up", words)

    def _title(self, text: str) -> None:
        self.out.print(f"\n[bold green]■ {escape(text)}[/]")

    def _line(self, what: str, words: str, is_plain: bool = True) -> None:
        self.out.print(f"  [dim]{what}[/]  {escape(words) if is_plain else words}", soft_wrap=True)


def _phone_pcm(audio: Audio) -> bytes:
    """8 kHz mono PCM16LE."""
    sound = resample(audio, _PHONE_RATE).samples
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
