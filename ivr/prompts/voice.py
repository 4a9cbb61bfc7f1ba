"""Which voice reads for a community."""

from __future__ import annotations

from sqlalchemy.orm import Session

from speech.synthesize import VOICES
from sync.records.tables import Setting


def voice_of(session: Session, community_id: str) -> str:
    """The voice that reads for the community: its setting `voice` (`female`, `male` or a voice's name)."""
    setting = session.get(Setting, (community_id, "voice"))
    chosen = str(setting.value) if setting is not None and setting.value else "female"
    return VOICES.get(chosen, chosen)
