"""How a community says its own names: kept word by word, checked, audited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.community_settings import audit
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.records.tables import Pronunciation, record_id

LONGEST_WORD = 12
MOST = 500
_HAN = re.compile(r"[一-鿿]+")
_SYLLABLE = re.compile(r"[a-zü]{1,6}[1-5]")


def listed(session: Session, community_id: str) -> Sequence[Pronunciation]:
    """The community's list, by word."""
    mine = select(Pronunciation).where(Pronunciation.community_id == community_id)
    return session.scalars(mine.order_by(Pronunciation.word)).all()


def say(session: Session, actor: Actor, word: str, pinyin: str, before: str, now: datetime) -> Pronunciation:
    """Say `word` so from now on. `before` is the pinyin it had when it was read, '' for a new word.

    DeskError: `word_not_chinese`, `pinyin_wrong` (one syllable a character, `chong2`), `list_full`.
    """
    word, spelled = word.strip(), " ".join(pinyin.lower().replace("v", "ü").split())
    if not _HAN.fullmatch(word) or len(word) > LONGEST_WORD:
        raise DeskError("a word of Chinese characters", "word_not_chinese", LONGEST_WORD)
    syllables = spelled.split(" ")
    if len(syllables) != len(word) or not all(_SYLLABLE.fullmatch(one) for one in syllables):
        raise DeskError("one syllable with its tone for every character", "pinyin_wrong")
    found = session.get(Pronunciation, (actor.community_id, word), with_for_update=True)
    if (found.pinyin if found is not None else "") != before:
        raise ChangedMeanwhile("somebody else has just changed it", "changed_meanwhile")
    if found is None:
        if len(listed(session, actor.community_id)) >= MOST:
            raise DeskError("the list is full", "list_full", MOST)
        found = Pronunciation(community_id=actor.community_id, word=word)
        session.add(found)
    found.pinyin, found.changed_at, found.changed_by = spelled, now, actor.id
    audit(session, actor.community_id, actor.id, "pronunciation.changed", _id(actor, word))
    session.flush()
    return found


def forget(session: Session, actor: Actor, word: str) -> None:
    """Say it as the dictionaries do again."""
    found = session.get(Pronunciation, (actor.community_id, word))
    if found is None:
        raise NotThere("it is not on the list", "not_there")
    session.delete(found)
    audit(session, actor.community_id, actor.id, "pronunciation.removed", _id(actor, word))


def _id(actor: Actor, word: str) -> str:
    """What the audit calls it: audits hold no words."""
    return record_id("prn", actor.community_id, word)
