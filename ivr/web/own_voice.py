"""Recordings and opinions in their own voice: behind a signed link that expires, opened on the fly."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from speech.audio import write_phone_wav
from sync.archive import Archive
from sync.bleeped import CannotBleep, NotToBeHeard, bleeped
from sync.errors import KeyDestroyed, RecordingMissing
from sync.fetching import Credentials, FetchError, fetch
from sync.records.tables import Opinion, Recording
from sync.sound import unsealed

log = logging.getLogger(__name__)

LINK_SECONDS = 3600
FETCH_SECONDS = 3.0
"""How long a caller may wait for a recording that is still at the platform."""


@dataclass
class OwnVoice:
    """Links to recordings and what they lead to. `credentials` opens those still at their platform."""

    archive: Archive
    credentials: Credentials
    _signer: URLSafeTimedSerializer = field(init=False)
    _hands: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        secret = self.archive.keyring.secret("voice links")
        self._signer = URLSafeTimedSerializer(secret, salt="voice")
        self._hands = ThreadPoolExecutor(8, thread_name_prefix="own-voice")

    def token(self, name: str) -> str:
        """The signed name of a recording, or of an opinion that may be heard by all; good for an hour."""
        return str(self._signer.dumps(name))

    def sound(self, token: str) -> bytes | None:
        """The WAV behind a token; None when the token is not ours or too old, or nothing can be heard."""
        try:
            name = self._signer.loads(token, max_age=LINK_SECONDS)
        except BadSignature:
            return None
        with self.archive.database.read() as session:
            if opinion := session.get(Opinion, name):
                return self._of_opinion(opinion, session)
            recording = session.get(Recording, name)
            if recording is None or recording.state not in {"stored", "announced"}:
                return None
            if recording.state == "stored":
                return self._stored(recording, session)
        return self._at_platform(recording)

    def _of_opinion(self, opinion: Opinion, session: Session) -> bytes | None:
        """The whole of it, what its text hides bleeped."""
        try:
            return write_phone_wav(bleeped(session, self.archive, opinion))
        except (NotToBeHeard, CannotBleep) as problem:
            log.warning("opinion %s cannot be played: %s", opinion.id, type(problem).__name__)
            return None

    def _stored(self, recording: Recording, session: Session) -> bytes | None:
        try:
            return unsealed(session, self.archive, recording)
        except (KeyDestroyed, RecordingMissing) as problem:
            log.warning("recording %s cannot be played: %s", recording.id, type(problem).__name__)
            return None

    def _at_platform(self, recording: Recording) -> bytes | None:
        try:
            return self._hands.submit(fetch, recording, self.credentials, (0.5, 1.0)).result(FETCH_SECONDS)
        except (FetchError, TooLate) as problem:
            log.warning("recording %s is not to be had yet: %s", recording.id, type(problem).__name__)
            return None
