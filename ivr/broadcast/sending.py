"""What the announcer writes about loudspeakers: jobs claimed, silence made, reports kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from ivr.broadcast.airing import open_plays
from ivr.broadcast.loudspeakers import BroadcastError, Form, Job, Speaker, Told
from ivr.broadcast.plays import OPEN, move, write_down
from ivr.broadcast.store import ENDINGS, SoundStore
from sync.archive import Archive
from sync.broadcasting.loudspeakers import secret_of
from sync.errors import KeyDestroyed, KeyringUnreadable
from sync.records.broadcasts import OPEN_PLAY
from sync.records.tables import Airing, Loudspeaker, Play, Programme
from sync.upsert import is_among

NO_SOUND = "no_sound"
NOT_STOPPED = "not_stopped"
RESTARTED = "announcer_restarted"


@dataclass(frozen=True)
class Order:
    """One job that was claimed, and the kind of its loudspeaker."""

    kind: str
    job: Job


@dataclass(frozen=True)
class Silence:
    """An airing that was cut while something of it is under way, on these kinds of loudspeakers."""

    airing_id: str
    kinds: frozenset[str]


_Row = tuple[Play, Airing, Loudspeaker]


@dataclass(frozen=True)
class Outbox:
    """Plays from waiting to their end. `me` names this process in what it sends; `form_of` a kind's sound."""

    archive: Archive
    sounds: SoundStore
    form_of: Callable[[str], Form]
    me: str

    def kinds(self) -> frozenset[str]:
        """The kinds of loudspeakers there are."""
        with self.archive.database.read() as session:
            active = select(Loudspeaker.kind).where(Loudspeaker.state == "active").distinct()
            return frozenset(session.scalars(active))

    def to_silence(self) -> Sequence[Silence]:
        """What was cut and may still be heard."""
        with self.archive.database.read() as session:
            rows = session.execute(
                select(Play.airing_id, Loudspeaker.kind)
                .join(Airing, Airing.id == Play.airing_id)
                .join(Loudspeaker, Loudspeaker.id == Play.loudspeaker_id)
                .where(Airing.state == "cut", Play.state.in_(OPEN))
                .distinct()
            ).all()
        kinds: dict[str, set[str]] = {}
        for airing_id, kind in rows:
            kinds.setdefault(airing_id, set()).add(kind)
        return [Silence(airing_id, frozenset(found)) for airing_id, found in kinds.items()]

    def silenced(self, airing_id: str, unsure: frozenset[str], now: datetime) -> None:
        """Close the plays of a cut airing; of the kinds that could not be silenced (`unsure`) as unknown."""
        with self.archive.database.begin() as session:
            reason = session.get_one(Airing, airing_id).reason or "stopped"
            for play in open_plays(session, airing_id):
                kind = session.get_one(Loudspeaker, play.loudspeaker_id).kind
                if kind in unsure and play.state != "waiting":
                    move(play, "unknown", now, NOT_STOPPED)
                else:
                    move(play, "cut", now, reason)

    def claim(self, now: datetime) -> Sequence[Order]:
        """What is to be handed down now, marked as sent before it is: what dies in between is sent by nobody.

        On databases where two announcers claim at once, each play is claimed by one of them.
        """
        with self.archive.database.read() as session:
            if session.scalar(select(Play.id).where(OPEN_PLAY, Play.state == "waiting").limit(1)) is None:
                return ()
        with self.archive.database.begin() as session:
            rows = self._rows(session, Play.state == "waiting", now)
            ids = [play.id for play, *_ in rows]
            if ids:
                mark = update(Play).where(is_among(session, Play.id, ids))
                session.execute(
                    mark.values(state="sent", sent_at=now, sender=self.me).execution_options(
                        synchronize_session=False
                    )
                )
            return self._orders(session, rows, now)

    def adopt(self, now: datetime, knowing: frozenset[str]) -> Sequence[Order]:
        """What an announcer that died had sent and not heard the end of: again where its kind is `knowing`.

        Such a loudspeaker tells anew what became of it. Of the others nobody knows whether it ever came.
        """
        with self.archive.database.begin() as session:
            left = and_(Play.state.in_(("sent", "received", "started")), Play.sender != self.me)
            rows = self._rows(session, left, now)
            again = [row for row in rows if row[2].kind in knowing]
            for play, *_ in again:
                play.sender = self.me
            for play, _, speaker in rows:
                if speaker.kind not in knowing and play.state == "sent":
                    move(play, "unknown", now, RESTARTED)
                    speaker.problem = RESTARTED
            return self._orders(session, again, now)

    def write_down(self, told: Sequence[Told]) -> None:
        """Write down what loudspeakers told."""
        if told:
            with self.archive.database.begin() as session:
                write_down(session, told)

    def _rows(self, session: Session, which: ColumnElement[bool], now: datetime) -> list[_Row]:
        rows = session.execute(
            select(Play, Airing, Loudspeaker)
            .join(Airing, Airing.id == Play.airing_id)
            .join(Loudspeaker, Loudspeaker.id == Play.loudspeaker_id)
            .where(Airing.state == "airing", Airing.expires_at > now, which)
            .order_by(Airing.is_emergency.desc(), Play.id)
            .with_for_update(of=Play)
        ).all()
        return [(row[0], row[1], row[2]) for row in rows]

    def _orders(self, session: Session, rows: Sequence[_Row], now: datetime) -> Sequence[Order]:
        orders = []
        for play, airing, speaker in rows:
            try:
                orders.append(Order(speaker.kind, self._job(session, play, airing, speaker)))
            except BroadcastError:
                move(play, "failed", now, NO_SOUND)
        return orders

    def _job(self, session: Session, play: Play, airing: Airing, speaker: Loudspeaker) -> Job:
        asked = speaker.address.get("form")
        form: Form = asked if asked in ENDINGS else self.form_of(speaker.kind)  # type: ignore[assignment]
        sound = self.sounds.file(airing.digest or "", form)
        programme = session.get(Programme, airing.programme_id or "")
        return Job(
            play_id=play.id,
            airing_id=airing.id,
            loudspeaker=Speaker(
                speaker.id,
                speaker.address,
                self._secret(session, speaker),
                play.volume,
                speaker.community_id,
                speaker.name,
            ),
            sound=sound,
            repeat=airing.repeats,
            at=airing.due_at,
            expires_at=airing.expires_at,
            is_emergency=airing.is_emergency,
            title=programme.title if programme else "",
        )

    def _secret(self, session: Session, speaker: Loudspeaker) -> str:
        try:
            return secret_of(session, self.archive, speaker)
        except (KeyDestroyed, KeyringUnreadable):
            return ""
