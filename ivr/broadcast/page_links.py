"""Where a call to a loudspeaker finds what it may play: a signed address for one try of one play."""

from __future__ import annotations

from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from sync.archive import Archive

PATH = "/calls/paged/"
DONE = "/done"


@dataclass(frozen=True)
class PageLink:
    """What a link is for: one play on one loudspeaker. Its airing says until when."""

    play_id: str
    loudspeaker_id: str


class PageLinks:
    """Makes links and reads them. The secret follows from the keys of this installation."""

    def __init__(self, archive: Archive, public_base: str = "") -> None:
        self._base = public_base.rstrip("/")
        self._signer = URLSafeSerializer(archive.keyring.secret("broadcast page"), salt="broadcast")

    def url(self, play_id: str, loudspeaker_id: str) -> str:
        """The address of a play's document."""
        token = self._signer.dumps([play_id, loudspeaker_id])
        return f"{self._base}{PATH}{token if isinstance(token, str) else token.decode()}"

    def read(self, token: str) -> PageLink | None:
        """What a token leads to; None when it is not ours or was altered."""
        try:
            play_id, loudspeaker_id = self._signer.loads(token)
        except (BadSignature, TypeError, ValueError):
            return None
        return PageLink(str(play_id), str(loudspeaker_id))
