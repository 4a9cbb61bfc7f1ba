"""What somebody grants or asks of the community itself: consents to a notice, requests to be called."""

from __future__ import annotations

from collections.abc import Iterable

from sync.pending import Batch, Pending
from sync.records.tables import Consent, Request, record_id
from sync.upsert import insert_new

PURPOSES = frozenset({"recording", "neighbours_words", "neighbours_voice", "call_back"})
_RELEASES = {
    "words": ("neighbours_words", "pressed"),
    "voice": ("neighbours_voice", "pressed"),
    "none": ("neighbours_words", "refused"),
}
TOLD_STAFF = "told_staff"
"""They said so to a member of staff, who typed it in; the capture says who."""

ANSWERS = frozenset({"pressed", "spoke_after_notice", "refused", TOLD_STAFF})


def apply_consents(batch: Batch, captures: Iterable[Pending]) -> None:
    """Keep each consent for ever, as it was given: purpose, answer, version of the notice, time."""
    rows = []
    for capture in captures:
        payload = capture.payload
        if payload.get("purpose") not in PURPOSES or payload.get("answer") not in ANSWERS:
            batch.refused(capture, "malformed")
            continue
        given = {name: str(payload[name]) for name in ("purpose", "answer")}
        given["version"] = str(payload.get("version", ""))
        rows.append(_natural("con", capture) | given | {"given_at": capture.cast_at})
        batch.merged(capture)
    insert_new(batch.session, Consent, ("source", "source_id"), rows)


def note_releases(batch: Batch, captures: Iterable[Pending]) -> None:
    """A release is a consent of its own: to be heard by neighbours, in words or in one's own voice."""
    rows = []
    for capture in captures:
        how = capture.payload.get("release")
        is_given = batch.outcomes.get(capture.id, ("", None))[0] == "merged"
        if is_given and capture.kind == "release" and how in _RELEASES:
            purpose, answer = _RELEASES[how]
            if answer != "refused" and "entered_by" in capture.payload:
                answer = TOLD_STAFF
            given = {"purpose": purpose, "answer": answer, "version": str(capture.payload.get("version", ""))}
            rows.append(_natural("con", capture) | given | {"given_at": capture.cast_at})
    insert_new(batch.session, Consent, ("source", "source_id"), rows)


def apply_requests(batch: Batch, captures: Iterable[Pending]) -> None:
    """Put each wish for a call on the community's list."""
    rows = []
    for capture in captures:
        reason = str(capture.payload.get("reason", ""))
        rows.append(_natural("req", capture) | {"reason": reason, "asked_at": capture.cast_at})
        batch.merged(capture)
    insert_new(batch.session, Request, ("source", "source_id"), rows)


def _natural(prefix: str, capture: Pending) -> dict[str, object]:
    return {
        "id": record_id(prefix, capture.source, capture.source_id),
        "source": capture.source,
        "source_id": capture.source_id,
        "community_id": capture.community_id,
        "person_id": capture.person_id,
    }
