"""The sound of a programme for staff ears, and how far it has come."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, abort, jsonify, send_file
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.pages.access import archive
from admin.pages.broadcasts.acting import actor
from admin.roles import for_role
from ivr.broadcast.loudspeakers import BroadcastError
from ivr.broadcast.store import SoundStore
from sync.broadcasting import programme_of
from sync.desk import NotThere
from sync.records.tables import Programme


def add_sound(desk: Blueprint, home: Path) -> None:
    """Put the sound on the desk. It lies under `home`."""
    sounds = SoundStore.under(home)

    @for_role("broadcasts.see")
    def broadcast_sound(programme_id: str, digest: str) -> Response:
        """The MP3 of what was rendered, by ranges; 404 once the programme says something else."""
        with archive().database.read() as session:
            found = _programme(session, programme_id)
            is_this = found.sound_digest == digest and found.sound_state == "ready"
        try:
            file = sounds.file(digest if is_this else "", "mp3")
        except BroadcastError:
            abort(404)
        answer = send_file(file.path.resolve(), mimetype=file.media_type, conditional=True, max_age=0)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    address = "/broadcasts/<programme_id>/sound/<digest>.mp3"
    desk.add_url_rule(address, "broadcast_sound", broadcast_sound)
    desk.add_url_rule("/broadcasts/<programme_id>/state.json", "broadcast_state", broadcast_state)


@for_role("broadcasts.see")
def broadcast_state(programme_id: str) -> Response:
    """Whether the sound is there: asked by the page's script until something has changed."""
    with archive().database.read() as session:
        found = _programme(session, programme_id)
        answer = jsonify(state=found.state, sound=found.sound_state, version=found.version)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _programme(session: Session, programme_id: str) -> Programme:
    try:
        return programme_of(session, actor(), programme_id)
    except NotThere:
        abort(404)
