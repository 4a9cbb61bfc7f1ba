"""Words that were written, not spoken: sealed before they enter the inbox, kept as transcript 1."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.errors import RecordsError
from sync.records.tables import Opinion, Person, Transcript

ENGINE = "typed"
_FIRST = 1


def seal_words(session: Session, archive: Archive, person_id: str, opinion_id: str, text: str) -> str:
    """Written words as a capture's `sealed_text`: the inbox holds nothing that outlives the person's key."""
    key_id = session.get_one(Person, person_id).key_id
    sealed = archive.keyring.seal(session, key_id, text.encode(), _about(opinion_id))
    return base64.b64encode(sealed).decode()


def keep_typed_words(session: Session, opinion: Opinion, payload: Mapping[str, Any]) -> bool:
    """Make the transcript of an opinion that came in writing. False where its capture brings no words."""
    if not payload.get("sealed_text") or session.get(Transcript, (opinion.id, _FIRST)) is not None:
        return False
    try:
        sealed = base64.b64decode(payload["sealed_text"], validate=True)
    except (binascii.Error, TypeError) as error:
        raise RecordsError("sealed words that are no base64") from error
    session.add(
        Transcript(
            opinion_id=opinion.id,
            version=_FIRST,
            sealed_text=sealed,
            redacted=None,
            confidence=1.0,
            language="zh",
            engine=ENGINE,
            speech_seconds=0.0,
            made_by="speaker",
            made_at=opinion.said_at,
        )
    )
    session.flush()
    return True


def typed_words(session: Session, archive: Archive, opinion: Opinion) -> str | None:
    """The words of an opinion that came in writing, None for a spoken one. Raises KeyDestroyed."""
    row = session.get(Transcript, (opinion.id, _FIRST))
    if row is None or row.engine != ENGINE or row.sealed_text is None:
        return None
    key_id = session.get_one(Person, opinion.person_id).key_id
    return archive.keyring.unseal(session, key_id, row.sealed_text, _about(opinion.id)).decode()


def unsealed_words(session: Session, archive: Archive, key_id: str, opinion_id: str, sealed: str) -> str:
    """What `seal_words` was given, from a capture's `sealed_text`. Raises KeyDestroyed."""
    content = base64.b64decode(sealed)
    return archive.keyring.unseal(session, key_id, content, _about(opinion_id)).decode()


def _about(opinion_id: str) -> str:
    return f"{opinion_id}/{_FIRST}"
