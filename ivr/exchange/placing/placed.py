"""A call we place, as whoever ordered it sees it: Twilio's Call resource."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

from ivr.exchange.calling import API_VERSION, new_sid
from ivr.exchange.placing.machines import Answered
from ivr.exchange.placing.orders import Order
from ivr.exchange.sip.handset import PlacedHandset

Status = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]
OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
MOST_REMEMBERED = 1000


def now() -> datetime:
    """The moment, without parts of a second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Placed:
    """One call. `handset` is the telephone that is called, as long as there is one."""

    order: Order
    sid: str = field(default_factory=new_sid)
    status: Status = "queued"
    answered_by: Answered | None = None
    created_at: datetime = field(default_factory=now)
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    is_canceled: bool = False
    handset: PlacedHandset | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in OVER

    @property
    def seconds(self) -> int:
        """How long they have spoken."""
        if self.answered_at is None:
            return 0
        return round(((self.ended_at or now()) - self.answered_at).total_seconds())

    def params(self, account: str) -> dict[str, str]:
        """What web is told with every request of this call."""
        told = {
            "CallSid": self.sid,
            "AccountSid": account,
            "From": self.order.from_,
            "To": self.order.to,
            "Direction": "outbound-api",
            "ApiVersion": API_VERSION,
            "Handset": "sip",
        }
        return told | ({"AnsweredBy": self.answered_by} if self.answered_by else {})

    def resource(self, account: str) -> dict[str, Any]:
        """As JSON; numbers and moments are text, as Twilio writes them (RFC 2822)."""
        uri = f"/{API_VERSION}/Accounts/{account}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account,
            "parent_call_sid": None,
            "to": self.order.to,
            "to_formatted": self.order.to,
            "from": self.order.from_,
            "from_formatted": self.order.from_,
            "phone_number_sid": None,
            "status": self.status,
            "direction": "outbound-api",
            "answered_by": self.answered_by,
            "date_created": written(self.created_at),
            "date_updated": written(self.ended_at or self.answered_at or self.created_at),
            "start_time": written(self.answered_at),
            "end_time": written(self.ended_at),
            "duration": str(self.seconds) if self.is_over else None,
            "price": None,
            "price_unit": "USD",
            "api_version": API_VERSION,
            "annotation": None,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "uri": f"{uri}.json",
            "subresource_uris": {},
        }


class Ledger:
    """The calls placed since this exchange was started, the latest thousand of them."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Placed] = OrderedDict()

    def enter(self, placed: Placed) -> None:
        """One more."""
        self._known[placed.sid] = placed
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)

    def of(self, sid: str) -> Placed | None:
        """One of them."""
        return self._known.get(sid)

    def going_on(self) -> int:
        """How many are not over."""
        return sum(not placed.is_over for placed in self._known.values())


def written(moment: datetime | None) -> str | None:
    """A moment in RFC 2822."""
    return format_datetime(moment) if moment else None
