"""The recordings of an opinion for staff ears: decrypted on the fly, never cached, every hearing audited."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, send_file
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.pages.access import Reader, archive, reader
from admin.roles import for_role
from sync.errors import KeyDestroyed, RecordingMissing
from sync.records.tables import Audit, OpinionRecording, Recording
from sync.sound import unsealed

_SAME_HEARING = timedelta(minutes=1)  # a player asks for one recording in several ranges


def add_sound(desk: Blueprint) -> None:
    """Put the recordings on the desk."""
    desk.add_url_rule("/opinions/<opinion_id>/sound/<recording_id>", "sound", sound)


@for_role("voices.see")
def sound(opinion_id: str, recording_id: str) -> Response:
    """One segment as WAV, by ranges. 404 for another community's, 410 for one that was erased."""
    ours, who = archive(), reader()
    with ours.database.read() as records:
        found = _find(records, who, opinion_id, recording_id)
        if found is None:
            abort(404)
        try:
            heard = unsealed(records, ours, found)
        except KeyDestroyed:
            abort(410)
        except RecordingMissing:
            abort(404)
    with ours.database.begin() as records:
        _audit(records, who, recording_id)
    answer = send_file(io.BytesIO(heard), mimetype="audio/wav", conditional=True, etag=False, max_age=0)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _find(records: Session, who: Reader, opinion_id: str, recording_id: str) -> Recording | None:
    return records.scalar(
        select(Recording)
        .join(OpinionRecording, OpinionRecording.recording_id == Recording.id)
        .where(
            Recording.id == recording_id,
            OpinionRecording.opinion_id == opinion_id,
            Recording.community_id == who.community_id,
            Recording.state == "stored",
        )
    )


def _audit(records: Session, who: Reader, recording_id: str) -> None:
    now = datetime.now(UTC)
    lately = select(Audit.id).where(
        Audit.community_id == who.community_id, Audit.at > now - _SAME_HEARING, Audit.actor == who.staff_id,
        Audit.act == "heard_recording", Audit.subject == recording_id,
    ).limit(1)  # fmt: skip
    if records.scalar(lately) is None:
        records.add(
            Audit(
                community_id=who.community_id, at=now, actor=who.staff_id, act="heard_recording",
                subject=recording_id, reason=None, details={},
            )
        )  # fmt: skip
