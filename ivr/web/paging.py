"""The door where a call to a loudspeaker asks what it may play: signed twice, once for each play."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session
from twilio.twiml.voice_response import VoiceResponse

from ivr.broadcast.loudspeakers import BroadcastError, Told, What
from ivr.broadcast.page_links import DONE, PATH, PageLink, PageLinks
from ivr.broadcast.plays import write_down
from ivr.broadcast.sound_links import SoundLinks
from ivr.broadcast.store import SoundStore
from ivr.calls import utc_now
from ivr.web.patience import log_problem
from ivr.web.signature import PhoneLine, line_of
from sync.archive import Archive
from sync.broadcasting.approving import may_be_loud
from sync.errors import RecordsError
from sync.records.tables import Airing, Play, Programme

MOST_FORM_BYTES = 64 * 1024
BEFORE = frozenset({"sent", "received"})
"""States of a play of which nothing has been heard yet, by anybody."""
MOST_REMEMBERED = 1000


@dataclass
class _Given:
    """Which call was given which play, by this process: it may ask again when an answer was lost."""

    calls: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def note(self, play_id: str, call: str) -> None:
        self.calls[play_id] = call
        while len(self.calls) > MOST_REMEMBERED:
            self.calls.popitem(last=False)

    def has(self, play_id: str, call: str) -> bool:
        return bool(call) and self.calls.get(play_id) == call


class PageDoor:
    """`POST /calls/paged/<token>`: what to play, or to hang up. `…/done`: it was played to the end."""

    def __init__(
        self,
        archive: Archive,
        home: Path,
        lines: Mapping[str, PhoneLine],
        public_base: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._archive, self._lines, self._base, self._clock = archive, lines, public_base, clock
        self._pages, self._links = PageLinks(archive, public_base), SoundLinks(archive, public_base)
        self._sounds, self._given = SoundStore.under(home), _Given()

    def begin(self, token: str) -> Response:
        """The loudspeaker has picked up."""
        return self._answered(token, self._play)

    def done(self, token: str) -> Response:
        """It has heard all of it."""
        return self._answered(token, self._finish)

    def _answered(self, token: str, act: Callable[[PageLink], VoiceResponse]) -> Response:
        request.max_content_length = MOST_FORM_BYTES
        link = self._pages.read(token)
        if line_of(request, self._lines, self._base) is None or link is None:
            return Response("", 403, mimetype="text/plain")
        try:
            document = act(link)
        except (RecordsError, BroadcastError) as error:
            log_problem(error, "")
            return Response("", 503, {"Retry-After": "2"}, mimetype="text/plain")
        return Response(str(document), mimetype="text/xml", headers={"Cache-Control": "no-store"})

    def _play(self, link: PageLink) -> VoiceResponse:
        answer, now = VoiceResponse(), self._clock()
        with self._archive.database.begin() as session:
            airing = self._to_be_heard(session, link, now)
            if airing is None:
                answer.hangup()
                return answer
            sound = self._sounds.file(airing.digest or "", "phone")
            write_down(session, [self._told(link, "started", now)])
            url = self._links.url(airing.id, sound.sha256, sound.media_type, airing.expires_at)
            repeats = airing.repeats
        self._given.note(link.play_id, request.form.get("CallSid", ""))
        answer.play(url, loop=repeats)
        answer.redirect(f"{self._pages.url(link.play_id, link.loudspeaker_id)}{DONE}", method="POST")
        return answer

    def _finish(self, link: PageLink) -> VoiceResponse:
        with self._archive.database.begin() as session:
            write_down(session, [self._told(link, "finished", self._clock())])
        answer = VoiceResponse()
        answer.hangup()
        return answer

    def _to_be_heard(self, session: Session, link: PageLink, now: datetime) -> Airing | None:
        """The airing of this play, when it may begin to be heard at this moment; held until it is written."""
        play = session.get(Play, link.play_id, with_for_update=True)
        airing = session.get(Airing, play.airing_id) if play else None
        programme = session.get(Programme, airing.programme_id or "") if airing else None
        if play is None or airing is None or programme is None:
            return None
        is_first = play.state in BEFORE
        is_again = play.state == "started" and self._given.has(play.id, request.form.get("CallSid", ""))
        is_on = (
            airing.state == "airing"
            and now < airing.expires_at
            and play.loudspeaker_id == link.loudspeaker_id
        )
        is_approved = may_be_loud(programme) and programme.approved_digest == airing.digest
        return airing if (is_first or is_again) and is_on and is_approved else None

    def _told(self, link: PageLink, what: What, now: datetime) -> Told:
        return Told(link.play_id, link.loudspeaker_id, what, now)


def create_page_door(
    archive: Archive,
    home: Path,
    lines: Mapping[str, PhoneLine],
    public_base: str,
    clock: Callable[[], datetime] = utc_now,
) -> Blueprint:
    """The routes at which calls to loudspeakers knock. `lines` maps AccountSid to the line that signs."""
    door = PageDoor(archive, home, lines, public_base, clock)
    blueprint = Blueprint("paged", __name__)
    for rule, view in ((f"{PATH}<token>", door.begin), (f"{PATH}<token>{DONE}", door.done)):
        blueprint.add_url_rule(rule, view_func=view, methods=["POST"])
    return blueprint
