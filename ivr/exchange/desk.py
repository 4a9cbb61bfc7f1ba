"""What every call of one exchange works with."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.exchange.announce import Announcer
from ivr.exchange.door import Door
from ivr.exchange.errands import Errands
from ivr.exchange.media import Media
from ivr.exchange.sentences import Sentences
from ivr.exchange.settings import ExchangeSettings
from ivr.exchange.spool import Spool
from ivr.exchange.unanswered import Unanswered


@dataclass(frozen=True)
class Desk:
    """The parts of an exchange, put together once."""

    settings: ExchangeSettings
    door: Door
    media: Media
    sentences: Sentences
    spool: Spool
    announcer: Announcer
    errands: Errands
    unanswered: Unanswered
