"""Answering: the reply as the phone will say it, and replies that are spoken instead of typed."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, request, send_file, url_for
from werkzeug.wrappers import Response

from admin.pages.access import archive, language, reader
from admin.pages.acts import is_repeated, refused, text
from admin.pages.opinions import show
from admin.pages.words import word
from admin.roles import for_role
from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.prompts.previews import ask, clips_for
from speech.audio import Audio, write_wav
from speech.browser_sound import read_browser_sound
from speech.errors import SpeechError
from sync import spoken
from sync.desk import LONGEST_SPOKEN, Actor, DeskError, NotThere
from sync.errors import KeyDestroyed, RecordingMissing
from sync.queue import WorkQueue
from sync.records.tables import Community, Opinion


@dataclass(frozen=True)
class PhoneLine:
    """One thing the phone says: its words, and the clip that says them; None while it is being made."""

    words: str
    clip: str | None


def add_replying(desk: Blueprint, queue: WorkQueue, clips: ClipStore) -> None:
    """Put the preview and the spoken replies on the desk."""
    desk.add_url_rule(
        "/opinions/<opinion_id>/preview", "preview_reply", _previewing(queue, clips), methods=["POST"]
    )
    desk.add_url_rule("/opinions/<opinion_id>/speak", "speak", _speaking(queue), methods=["POST"])
    desk.add_url_rule("/spoken/<spoken_id>.wav", "spoken_sound", spoken_sound)
    desk.add_url_rule(
        "/opinions/<opinion_id>/spoken/<spoken_id>", "publish_spoken", _publishing(queue), methods=["POST"]
    )
    desk.add_url_rule(
        "/opinions/<opinion_id>/spoken/<spoken_id>/drop", "drop_spoken", drop_spoken, methods=["POST"]
    )


def phone_lines(clips: ClipStore, opinion_id: str, words: str, is_private: bool) -> list[PhoneLine]:
    """The reply as the phone reads it out, from its announcement to the question after it.

    Before a private one the last digits of the receipt are asked for.
    """
    who = reader()
    with archive().database.read() as session:
        opinion = session.get(Opinion, opinion_id)
        if opinion is None or opinion.community_id != who.community_id:
            abort(404)
        book = Book.load(session.get_one(Community, who.community_id).language)
        asked = _fixed(book, "own.private") if is_private else ()
        said = [*asked, *_fixed(book, "reply.here"), words, *_fixed(book, "reply.satisfied_or_not")]
        found = clips_for(session, clips, who.community_id, said)
    return [PhoneLine(one, found[one]) for one in said]


def _previewing(queue: WorkQueue, clips: ClipStore) -> Callable[[str], str | tuple[str, int]]:
    @for_role("voices.reply")
    def preview(opinion_id: str) -> str | tuple[str, int]:
        """The page once more with the reply as callers will hear it; what has no sound yet is asked for."""
        words, who = text(), reader()
        if not words or len(words) > LONGEST_SPOKEN:
            code = "too_long" if words else "nothing_said"
            return refused(DeskError(code, code, LONGEST_SPOKEN), opinion_id, {"reply": words})
        lines = phone_lines(clips, opinion_id, words, _is_private())
        if missing := [line.words for line in lines if line.clip is None]:
            with archive().database.begin() as session:
                ask(session, who.community_id, missing, who.staff_id, datetime.now(UTC))
            queue.put("preview")
        return show(opinion_id, {"reply": words}, lines=lines, is_private=_is_private())

    return preview


def _speaking(queue: WorkQueue) -> Callable[[str], Response | tuple[str, int]]:
    @for_role("voices.reply")
    def speak(opinion_id: str) -> Response | tuple[str, int]:
        """Keep what was recorded in the browser, and have it turned into words."""
        try:
            sound = _recorded()
            spoken_id = spoken.keep_spoken(archive(), _actor(), opinion_id, write_wav(sound), _now())
        except NotThere:
            abort(404)
        except DeskError as error:
            return refused(error, opinion_id, {})
        queue.put("transcribe_spoken", spoken_id=spoken_id)
        flash(word("done_speak", language()), "done")
        return _back(opinion_id)

    return speak


@for_role("voices.see")
def spoken_sound(spoken_id: str) -> Response:
    """A spoken reply as WAV, by ranges; never cached."""
    try:
        with archive().database.read() as session:
            sound = spoken.spoken_sound(session, archive(), _actor(), spoken_id)
    except (NotThere, RecordingMissing):
        abort(404)
    except KeyDestroyed:
        abort(410)
    answer = send_file(io.BytesIO(sound), mimetype="audio/wav", conditional=True, etag=False, max_age=0)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _publishing(queue: WorkQueue) -> Callable[[str, str], Response | tuple[str, int]]:
    @for_role("voices.reply")
    def publish(opinion_id: str, spoken_id: str) -> Response | tuple[str, int]:
        """Publish a spoken reply with its words, as staff have read them over."""
        ours, who = archive(), reader()
        try:
            if not is_repeated(ours, opinion_id, text()):
                spoken.publish_spoken(ours, _actor(), spoken_id, text(), _now(), _is_private())
        except NotThere:
            abort(404)
        except DeskError as error:
            return refused(error, opinion_id, {f"spoken_{spoken_id}": text()})
        queue.put("render", community_id=who.community_id)
        flash(word("done_reply", language()), "done")
        return _back(opinion_id)

    return publish


@for_role("voices.reply")
def drop_spoken(opinion_id: str, spoken_id: str) -> Response:
    """Throw a spoken reply away that is not published."""
    try:
        spoken.drop_spoken(archive(), _actor(), spoken_id)
    except NotThere:
        abort(404)
    flash(word("done_drop", language()), "done")
    return _back(opinion_id)


def _recorded() -> Audio:
    file = request.files.get("sound")
    try:
        return read_browser_sound(file.read() if file else b"", spoken.LONGEST_SECONDS)
    except SpeechError as error:
        raise DeskError("that is no sound, or too long", "not_sound", int(spoken.LONGEST_SECONDS)) from error


def _fixed(book: Book, prompt: str) -> Sequence[str]:
    return [words for words, is_value in book.fragments(prompt) if not is_value]


def _is_private() -> bool:
    return request.form.get("is_private") == "yes"


def _actor() -> Actor:
    who = reader()
    return Actor(who.staff_id, who.community_id)


def _now() -> datetime:
    return datetime.now(UTC)


def _back(opinion_id: str) -> Response:
    return redirect(url_for("desk.opinion", opinion_id=opinion_id))
