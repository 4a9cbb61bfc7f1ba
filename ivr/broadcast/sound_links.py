"""Where a loudspeaker fetches a programme: a signed address that expires with its airing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadSignature, URLSafeSerializer

from sync.archive import Archive

PATH = "/broadcast/sound/"
SPARE_SECONDS = 60
"""So long after the last moment to begin the sound may still be fetched: clocks differ."""


@dataclass(frozen=True)
class SoundLink:
    """What a link is good for: the sound of one airing, as the file with this sum, until `expires`."""

    airing_id: str
    sha256: str
    media_type: str
    expires: float


class SoundLinks:
    """Makes links and reads them. The secret follows from the keys of this installation."""

    def __init__(self, archive: Archive, web_url: str = "") -> None:
        self._base = web_url.rstrip("/")
        self._signer = URLSafeSerializer(archive.keyring.secret("broadcast sound"), salt="broadcast")

    def url(self, airing_id: str, sha256: str, media_type: str, expires_at: datetime) -> str:
        """The address of an airing's sound."""
        expires = math.ceil(expires_at.timestamp()) + SPARE_SECONDS
        token = self._signer.dumps([airing_id, sha256, media_type, expires])
        return f"{self._base}{PATH}{token if isinstance(token, str) else token.decode()}"

    def read(self, token: str, now: datetime) -> SoundLink | None:
        """What a token leads to; None when it is not ours, was altered, or is too old."""
        try:
            airing_id, sha256, media_type, expires = self._signer.loads(token)
            link = SoundLink(str(airing_id), str(sha256), str(media_type), float(expires))
        except (BadSignature, TypeError, ValueError):
            return None
        return link if now.timestamp() < link.expires else None
