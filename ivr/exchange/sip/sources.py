"""From which address a call's first packet really came: the stack's own trace tells, no header does."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict

MOST_REMEMBERED = 1000
TRACE = "baresip.native.sip"
_INVITE = re.compile(r"RX UDP (\S+):\d+ -> \S+\s+INVITE ")
_CALL_ID = re.compile(r"^(?:Call-ID|i)\s*:\s*(\S+)", re.MULTILINE | re.IGNORECASE)


class Sources(logging.Handler):
    """Listens to the trace of SIP messages, in the stack's thread, and keeps nothing of it but addresses."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._known: OrderedDict[str, str] = OrderedDict()

    def begin(self) -> None:
        """Listen. The trace goes nowhere else: it holds numbers."""
        trace = logging.getLogger(TRACE)
        trace.setLevel(logging.DEBUG)
        trace.propagate = False
        trace.addHandler(self)

    def end(self) -> None:
        """Listen no more."""
        logging.getLogger(TRACE).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """One message of the trace."""
        text = record.getMessage()
        invite, call_id = _INVITE.match(text), _CALL_ID.search(text)
        if invite and call_id and call_id[1] not in self._known:
            self._known[call_id[1]] = invite[1]
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)

    def of(self, call_id: str) -> str:
        """The address a call came from; '' when the trace has not told, yet or at all."""
        return self._known.get(call_id, "")
