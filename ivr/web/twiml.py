"""A turn as a TwiML document: portable verbs only, absolute addresses, a way on after every wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from ivr.arrivals import Manner
from ivr.dialogue.turns import (
    AskRecords,
    DialPerson,
    EndCall,
    GatherKeys,
    Line,
    RecordSpeech,
    Sound,
    Turn,
    Wait,
)
from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.prompts.pieces import Piece, Spoken, pieces
from ivr.prompts.tones import JOIN, tone_name

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SAY_LANGUAGES = {"zh": "cmn-CN", "en": "en-GB"}
CLIP_MEMORY_SECONDS = 30.0
_MOST_CLIPS = 20_000


@dataclass
class _FoundClips:
    """Names of clips seen lately: a file is looked for once in half a minute, not at every turn."""

    clips: ClipStore
    names: dict[tuple[str, str, bool, str], tuple[str, float]] = field(default_factory=dict)

    def find(self, text: str, voice: str, is_slow: bool, community_id: str) -> str | None:
        wanted = (text, voice, is_slow, community_id)
        name, until = self.names.get(wanted, ("", 0.0))
        now = time.monotonic()
        if until > now:
            return name
        found = self.clips.find(text, voice, is_slow, community_id)
        if found is not None:
            if len(self.names) >= _MOST_CLIPS:
                self.names.clear()
            self.names[wanted] = (found, now + CLIP_MEMORY_SECONDS)
        return found


class TwimlRenderer:
    """Turns into documents. `voice_token` signs the id of a recording that is played as it was spoken."""

    def __init__(
        self,
        public_base_url: str,
        clips: ClipStore,
        voice_token: Callable[[str], str],
        book_of: Callable[[str], Book] = Book.load,
    ) -> None:
        self._base = public_base_url.rstrip("/")
        self._clips = clips
        self._found = _FoundClips(clips)
        self._voice_token = voice_token
        self._book_of = cache(book_of)

    def turn_url(self, sid: str, n: int, suffix: str = "", **query: str | int) -> str:
        """The absolute address that answers turn `n` of a call."""
        address = f"{self._base}/calls/{quote(sid, safe='')}/turns/{n}{suffix}"
        return f"{address}?{urlencode(query)}" if query else address

    def __call__(self, turn: Turn, manner: Manner) -> str:
        """The document of `turn`. Raises PromptError, or ValueError where the records were not asked."""
        said = self.spoken(turn.lines, manner, turn.place.memory)
        return self.document(self._wait(turn.wait, said, manner))

    @staticmethod
    def document(body: str) -> str:
        """`body`, verbs already written, as a whole document."""
        return f"{HEAD}<Response>{body}</Response>"

    def spoken(self, lines: Iterable[Line], manner: Manner, memory: Mapping[str, str]) -> str:
        """Lines as Play and Say verbs."""
        book = self._book_of(manner.language)
        return "".join(self._piece(piece, manner) for line in lines for piece in pieces(line, book, memory))

    def sentence(self, prompt: str, manner: Manner) -> str:
        """One sentence without values, for documents that no dialogue wrote."""
        return self.spoken([Line(prompt)], manner, {})

    def _piece(self, piece: Piece, manner: Manner) -> str:
        match piece:
            case Sound(recording_id):
                return self._play(f"voice/{self._voice_token(recording_id)}")
            case Spoken(text, is_slow):
                name = self._found.find(text, manner.voice, is_slow, manner.community_id)
                if name is not None:
                    return self._play(name)
                language = SAY_LANGUAGES.get(manner.language, manner.language)
                return f'<Say language="{language}">{escape(text)}</Say>'

    def _play(self, name: str) -> str:
        return f"<Play>{escape(f'{self._base}/media/{name}.wav')}</Play>"

    def _wait(self, wait: Wait, said: str, manner: Manner) -> str:
        onward = self.redirect(self.turn_url(manner.sid, manner.n + 1, silence=1))
        match wait:
            case GatherKeys():
                return self._gather(wait, said, manner) + onward
            case RecordSpeech():
                return said + self._record(wait, manner) + onward
            case DialPerson():
                return said + self._dial(wait, manner) + onward
            case EndCall():
                return said + "<Hangup/>"
            case AskRecords(question):
                raise ValueError(f"the records were not asked: {question}")

    def _gather(self, wait: GatherKeys, said: str, manner: Manner) -> str:
        """Keys are taken while `said` plays; `finishOnKey` is always given, or platforms swallow `#`."""
        action = quoteattr(self.turn_url(manner.sid, manner.n + 1))
        return (
            f'<Gather input="dtmf" numDigits="{wait.count}" timeout="{wait.timeout_seconds}"'
            f' finishOnKey={quoteattr(wait.finish_on)} action={action} method="POST">{said}</Gather>'
        )

    def _record(self, wait: RecordSpeech, manner: Manner) -> str:
        action = quoteattr(self.turn_url(manner.sid, manner.n + 1, limit=wait.max_seconds))
        callback = quoteattr(self.turn_url(manner.sid, manner.n + 1, "/recording"))
        return (
            f"{self._join() if wait.is_continued else ''}"
            f'<Record maxLength="{wait.max_seconds}" timeout="{wait.silence_seconds}" finishOnKey="#"'
            f' playBeep="{"false" if wait.is_continued else "true"}" trim="do-not-trim" action={action}'
            f' method="POST" recordingStatusCallback={callback} recordingStatusCallbackMethod="POST"'
            ' recordingStatusCallbackEvent="completed"/>'
        )

    def _join(self) -> str:
        tone = tone_name(self._clips, JOIN)
        return self._play(tone) if self._clips.has(tone) else ""

    def _dial(self, wait: DialPerson, manner: Manner) -> str:
        action = quoteattr(self.turn_url(manner.sid, manner.n + 1))
        callee = "Sip" if wait.number.startswith("sip:") else "Number"
        return (
            f'<Dial timeout="{wait.timeout_seconds}" action={action} method="POST">'
            f"<{callee}>{escape(wait.number)}</{callee}></Dial>"
        )

    @staticmethod
    def redirect(url: str) -> str:
        """Go on at `url`."""
        return f'<Redirect method="POST">{escape(url)}</Redirect>'
