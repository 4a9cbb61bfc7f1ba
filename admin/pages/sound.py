"""The sound of an opinion for staff ears: decrypted on the fly, never cached, every hearing audited."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, flash, redirect, request, send_file, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.pages.access import Reader, archive, language, reader
from admin.pages.hearing import audible, let_hear_whole, may_hear_whole
from admin.pages.words import word
from admin.roles import for_role
from speech.audio import write_wav
from sync.community_settings import audit
from sync.records.tables import Audit, Opinion

_SAME_HEARING = timedelta(minutes=1)  # a player asks for one sound in several ranges
_LONGEST_REASON = 200


def add_sound(desk: Blueprint) -> None:
    """Put the sound of opinions on the desk."""
    desk.add_url_rule("/opinions/<opinion_id>/sound.wav", "sound", sound)
    desk.add_url_rule("/opinions/<opinion_id>/whole", "hear_whole", hear_whole, methods=["POST"])


@for_role("voices.see")
def sound(opinion_id: str) -> Response:
    """The whole opinion as WAV, by ranges, bleeped unless the reader said why they must hear all of it.

    404 for another community's, and for one of which nothing may be heard.
    """
    ours, who = archive(), reader()
    is_whole = may_hear_whole(opinion_id) and who.may("voices.unbleeped")
    with ours.database.read() as records:
        opinion = _ours(records, who, opinion_id)
        heard = audible(records, ours, opinion, is_whole)
    if heard is None:
        abort(404)
    with ours.database.begin() as records:
        _note_hearing(records, who, opinion_id, is_whole)
    file = io.BytesIO(write_wav(heard))
    answer = send_file(file, mimetype="audio/wav", conditional=True, etag=False, max_age=0)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@for_role("voices.unbleeped")
def hear_whole(opinion_id: str) -> Response:
    """Hear an opinion unbleeped for a while: the reason is written down first."""
    ours, who = archive(), reader()
    reason = request.form.get("reason", "").strip()[:_LONGEST_REASON]
    if not reason:
        flash(word("refused_hearing_reason_needed", language()), "problem")
    else:
        with ours.database.begin() as records:
            _ours(records, who, opinion_id)
            audit(records, who.community_id, who.staff_id, "unbleeped", opinion_id, reason)
        let_hear_whole(opinion_id)
    return redirect(url_for("desk.opinion", opinion_id=opinion_id))


def _ours(records: Session, who: Reader, opinion_id: str) -> Opinion:
    opinion = records.get(Opinion, opinion_id)
    if opinion is None or opinion.community_id != who.community_id:
        abort(404)
    return opinion


def _note_hearing(records: Session, who: Reader, opinion_id: str, is_whole: bool) -> None:
    now, act = datetime.now(UTC), "heard_unbleeped" if is_whole else "heard_recording"
    lately = select(Audit.id).where(
        Audit.community_id == who.community_id, Audit.at > now - _SAME_HEARING, Audit.actor == who.staff_id,
        Audit.act == act, Audit.subject == opinion_id,
    ).limit(1)  # fmt: skip
    if records.scalar(lately) is None:
        audit(records, who.community_id, who.staff_id, act, opinion_id)
