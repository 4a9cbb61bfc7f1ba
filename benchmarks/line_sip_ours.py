"""Our side of the line's benchmark: `exchange PORT WEB SPOOL` or `line EXCHANGE_PORT SIP_PORT FIRST-LAST`."""

from __future__ import annotations

import sys
from pathlib import Path

from admin.supervised import end_with_supervisor
from benchmarks.line_sip_town import TOKEN
from ivr.exchange.server import run_exchange
from ivr.exchange.settings import ExchangeSettings
from ivr.exchange.sip.line import run_line
from ivr.exchange.sip.settings import LineSettings

MOST_CALLS = 200


def main(what: str, port: int, *more: str) -> None:
    """Run one of the two until SIGTERM."""
    if what == "exchange":
        settings = ExchangeSettings(
            token=TOKEN, spool=Path(more[1]), public_base=more[0], port=port, max_calls=MOST_CALLS
        )
        run_exchange(settings)
    else:
        first, last = (int(one) for one in more[1].split("-"))
        run_line(
            LineSettings(
                exchange=f"ws://127.0.0.1:{port}/line/ws",
                token=TOKEN,
                port=int(more[0]),
                rtp_ports=(first, last),
                most_calls=MOST_CALLS,
                most_calls_a_minute=10 * MOST_CALLS,
            )
        )


if __name__ == "__main__":
    end_with_supervisor()
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
