"""A topic as a caller who presses nothing hears it: the sentences of its steps, before anybody has called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ivr.dialogue.hotline import hotline
from ivr.dialogue.steps import Flow, Known, KnownSounds, prompts
from ivr.dialogue.turns import Line
from ivr.dialogue.view import CommunityView, TopicView
from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.prompts.pieces import Spoken, pieces
from speech.audio import Audio, join, read_audio, write_phone_wav


def topic_sentences(topic: TopicView, community_name: str, language: str) -> list[str]:
    """Title, background and choices as they follow each other on the telephone, clip by clip."""
    flow = hotline(CommunityView(name=community_name, topics=(topic,)))
    book, at = Book.load(language), f"topic.{topic.topic_id}"
    return [text for step in (f"{at}.listen", f"{at}.ballot") for text in _said(flow, step, book)]


def as_heard(clips: ClipStore, names: Sequence[str]) -> bytes:
    """These clips one after the other, as a telephone carries them."""
    sounds: list[Audio] = [read_audio(clips.path(name)) for name in names]
    return write_phone_wav(join(sounds))


def real_seconds(clips: ClipStore, names: Sequence[str]) -> float:
    """How long these clips really last."""
    return sum(read_audio(clips.path(name)).seconds for name in names)


def _said(flow: Flow, step: str, book: Book) -> Iterator[str]:
    if step not in flow.steps:
        return
    for each in prompts(flow.steps[step]):
        known = {
            name: value for name, value in each.values.items() if not isinstance(value, Known | KnownSounds)
        }
        for piece in pieces(Line(each.prompt, known), book, {}):
            if isinstance(piece, Spoken):
                yield piece.text
