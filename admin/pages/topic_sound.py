"""How a topic sounds before anybody hears it: its lines, how long each takes, how easily it is understood."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

from flask import Blueprint, Response, abort, send_file

from admin.pages.access import archive, reader
from admin.pages.doing import clips, now
from admin.roles import for_role
from ivr.dialogue.view import TopicView
from ivr.prompts import previews
from ivr.prompts.as_heard import as_heard, real_seconds, topic_sentences
from ivr.prompts.clips import ClipStore
from speech.pacing import seconds_of
from speech.plainness import Reading, reading
from sync.archive import Archive
from sync.queue import WorkQueue
from sync.records.tables import Community, Topic
from sync.wording import LONGEST_SPOKEN, LONGEST_TITLE

WAIT_SECONDS = 25.0  # a background of 120 characters takes the synthesizer about ten
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Heard:
    """A topic as heard: its sentences, how long they take together, whether that is measured or reckoned.

    `is_judged`: how plain it is can be said, of Chinese alone.
    """

    sentences: list[str]
    seconds: float
    is_measured: bool
    title: Reading
    background: Reading
    is_title_long: bool
    is_background_long: bool
    is_judged: bool


def heard_lines(topic: Topic) -> Heard:
    """What the page says about the sound of a topic."""
    sentences, language = _sentences(topic)
    found = _clips_of(sentences)
    names = [name for name in (found[one] for one in sentences) if name]
    is_measured = len(names) == len(sentences)
    title, background = topic.spoken_title or topic.title, topic.spoken_background or topic.text
    seconds = real_seconds(clips(), names) if is_measured else sum(map(seconds_of, sentences))
    return Heard(
        sentences, seconds, is_measured, reading(title), reading(background),
        len(title) > LONGEST_TITLE, len(background) > LONGEST_SPOKEN, language == "zh",
    )  # fmt: skip


def add_topic_sound(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the sound on the desk."""

    @for_role("topics.see")
    def sound(topic_id: str) -> Response:
        """The whole as a telephone carries it. What is not rendered yet is, while the listener waits."""
        with archive().database.read() as session:
            topic = session.get(Topic, topic_id)
        if topic is None or topic.community_id != reader().community_id:
            abort(404)
        sentences, _ = _sentences(topic)
        names = wait_for(archive(), clips(), queue, sentences)
        if names is None:
            answer = Response("", 503, mimetype="text/plain")
            answer.headers["Retry-After"] = "10"
            return answer
        answer = send_file(io.BytesIO(as_heard(clips(), names)), "audio/wav", conditional=True, etag=False)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    desk.add_url_rule("/topics/<topic_id>/heard.wav", "topic_sound", sound)


def wait_for(
    opened: Archive, store: ClipStore, queue: WorkQueue, sentences: list[str], seconds: float = WAIT_SECONDS
) -> list[str] | None:
    """The clips of these sentences in their order, rendered meanwhile; None where that takes too long."""
    who, until = reader(), time.monotonic() + seconds
    found = _clips_of(sentences)
    if missing := [text for text, name in found.items() if name is None]:
        with opened.database.begin() as session:
            previews.ask(session, who.community_id, missing, who.staff_id, now())
        queue.put("preview")
    while None in found.values() and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        found = _clips_of(sentences)
    names = [found[text] for text in sentences]
    return [name for name in names if name] if all(names) else None


def _clips_of(sentences: list[str]) -> dict[str, str | None]:
    with archive().database.read() as session:
        return previews.clips_for(session, clips(), reader().community_id, sentences)


def _sentences(topic: Topic) -> tuple[list[str], str]:
    """What is said, and in which language."""
    with archive().database.read() as session:
        community = session.get_one(Community, topic.community_id)
    view = TopicView(
        topic_id=topic.id,
        title=topic.spoken_title or topic.title,
        background=topic.spoken_background or topic.text,
        options=tuple((str(choice), str(label)) for choice, label in topic.options),
    )
    said = topic_sentences(view, community.name, community.language)
    return [text for text in said if text.strip()], community.language
