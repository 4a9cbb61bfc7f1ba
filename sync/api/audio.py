"""The sound of feedback over the API: bleeped, and only of those who agreed to be heard."""

from __future__ import annotations

from flask import Response, request
from sqlalchemy.orm import Session

from speech.audio import write_wav
from sync.api.asked import Asked
from sync.api.problems import Problem
from sync.bleeped import CannotBleep, NotToBeHeard, bleeped
from sync.errors import KeyDestroyed
from sync.records.tables import Opinion
from sync.shown.opinions import GONE, is_demo


def feedback_audio(session: Session, asked: Asked) -> Response:
    """A WAV file. Problem 404 where there is nothing others may hear, 409 where it can't be made safe to."""
    opinion = session.get(Opinion, asked.record_id)
    community_id = asked.caller.community_id
    if opinion is None or opinion.community_id != community_id or opinion.state in GONE:
        raise Problem(404, "no such feedback")
    if opinion.is_practice and not is_demo(session, community_id):
        raise Problem(404, "no such feedback")
    try:
        sound = write_wav(bleeped(session, asked.archive, opinion))
    except (NotToBeHeard, KeyDestroyed) as error:
        raise Problem(404, f"there is nothing to hear: {error}") from error
    except CannotBleep as error:
        raise Problem(409, f"this can't be played to others: {error}") from error
    answer = Response(sound, mimetype="audio/wav")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Authorization"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
