"""What a call sees of its community when it begins: the data its flow is built from, kept with the call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VoiceView:
    """A neighbour's approved opinion: its redacted words, and its recording where the speaker allowed it.

    With neither, it was taken back while the call went on: its place stays, and is passed by.
    """

    opinion_id: str
    words: str
    recording_id: str | None = None

    @property
    def is_gone(self) -> bool:
        """Whether it was taken back."""
        return not self.words and self.recording_id is None


@dataclass(frozen=True)
class TopicView:
    """A topic as heard: title of at most 20 characters, background of at most 120.

    `options` are (choice, spoken label) pairs, at most four; empty means agree / disagree / can't say.
    `updates` are progress sentences, newest first; `decision` is set once it is decided. `tells_voters`:
    whoever has voted may hear the result so far.
    """

    topic_id: str
    title: str
    background: str
    options: tuple[tuple[str, str], ...] = ()
    voices: tuple[VoiceView, ...] = ()
    updates: tuple[str, ...] = ()
    is_open: bool = True
    decision: str | None = None
    tells_voters: bool = False


@dataclass(frozen=True)
class OwnView:
    """One of the caller's own opinions and what became of it; `is_new` when its `reply` is unheard.

    A private reply is read only after the receipt's last four digits: the telephone may be shared.
    An empty reply was deleted while the call went on.
    """

    opinion_id: str
    receipt: str
    stage: str
    topic_title: str | None = None
    reply: str | None = None
    is_new: bool = False
    is_private: bool = False


@dataclass(frozen=True)
class BroadcastItemView:
    """One item that the loudspeakers played: sentences read aloud, then a neighbour's `voice` if any.

    `is_own_voice`: it was played as it was spoken; then `voice.recording_id` is set while that is allowed.
    """

    sentences: tuple[str, ...] = ()
    voice: VoiceView | None = None
    is_own_voice: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether the neighbour took it back, so that nothing of it may be heard."""
        return self.voice is not None and self.voice.is_gone


@dataclass(frozen=True)
class BroadcastView:
    """A programme that the loudspeakers played lately: its title of at most 20 characters, and its items."""

    programme_id: str
    title: str
    items: tuple[BroadcastItemView, ...]


@dataclass(frozen=True)
class AlertView:
    """A danger that an opinion tells of: which opinion, the kind, its receipt ("" where there is none)."""

    opinion_id: str
    danger: str
    receipt: str = ""


@dataclass(frozen=True)
class CommunityView:
    """Everything one call needs to build its flow. `person_number` is '' when no person can be dialled.

    `resume_step` is where a call broke off a moment ago; `keep_months` how long recordings are kept.
    `may_link`: some platform takes a code heard here, so that caller and account count as one person.
    `broadcasts` are what the loudspeakers played in the last days, the newest first.
    `asks_to_call`: whether we may call when there is a reply is still to be asked. `placed_for` says why
    we called (`called_back`, `reply_call`, `danger_call`), '' when they did. `alerts`: what the duty phone
    is told.
    """

    name: str
    topics: tuple[TopicView, ...] = ()
    own: tuple[OwnView, ...] = ()
    person_number: str = ""
    seats: int = 2
    notice_version: str = "1"
    is_slow: bool = False
    is_first_call: bool = False
    resume_step: str | None = None
    keep_months: int = 12
    may_link: bool = False
    broadcasts: tuple[BroadcastView, ...] = ()
    asks_to_call: bool = False
    placed_for: str = ""
    alerts: tuple[AlertView, ...] = ()
