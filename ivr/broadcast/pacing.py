"""A process of its own that sends RTP every 20 ms, whatever the programs beside it are doing.

`python -m ivr.broadcast.pacing`: orders come on standard input, what became of them goes to standard output;
when the input ends, everything falls silent and the process ends. Only the standard library is loaded.

An order is two lengths (`!II`), a JSON object and the G.711 bytes: {"do": "send", "stream": name, "to":
[host, port], "ttl": 1, "interface": "", "law": "alaw"} or {"do": "stop", "stream": name}. An answer is one
line of JSON, {"stream": name, "what": "started" | "finished" | "stopped" | "failed"}.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from ivr.broadcast.rtp import LAWS, PACKET_SECONDS, Stream

LENGTHS = struct.Struct("!II")
LEAD_PACKETS, TAIL_PACKETS = 25, 10
"""Silence before and after: receivers open and close their amplifiers in it. Ours to choose."""
LATEST_SECONDS = 0.1
"""Up to five packets late are sent at once, which jitter buffers take; after longer the sound waits."""
DSCP_EXPEDITED = 46 << 2
PASSING = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ECONNREFUSED})
"""One packet is lost: the card's queue is full, or a single address answered that nobody listens there."""
Tell = Callable[[str, str], None]


class Pacer:
    """All streams of this process, on one beat. `give` and `take_away` may be called from any thread."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._streams: dict[str, tuple[Stream, socket.socket]] = {}
        self._lock = threading.Condition()
        self._is_over = False

    def give(self, name: str, stream: Stream, outlet: socket.socket) -> None:
        """Begin to send with the next beat."""
        with self._lock:
            self._streams[name] = (stream, outlet)
            self._lock.notify()

    def take_away(self, name: str) -> None:
        """Fall silent; `stopped` is told even when there is no such stream."""
        with self._lock:
            self._end(name, "stopped")

    def end(self) -> None:
        """Send nothing more."""
        with self._lock:
            self._is_over = True
            self._lock.notify()

    def run(self) -> None:
        """Send until `end`. Beats are reckoned from the first one, so that lateness never adds up."""
        due = time.monotonic()
        while True:
            with self._lock:
                while not self._streams and not self._is_over:
                    self._lock.wait()
                    due = time.monotonic()
                if self._is_over:
                    return
                due += self._catch_up(time.monotonic() - due)
                self._beat()
            due += PACKET_SECONDS
            time.sleep(max(0.0, due - time.monotonic()))

    def _catch_up(self, late: float) -> float:
        """Where this process was kept from its work for long, the beat moves; by how much."""
        if late <= LATEST_SECONDS:
            return 0.0
        packets = round(late / PACKET_SECONDS)
        for stream, _ in self._streams.values():
            stream.pause(packets)
        return packets * PACKET_SECONDS

    def _beat(self) -> None:
        for name, (stream, outlet) in list(self._streams.items()):
            was_sounding, packet = stream.is_sounding, stream.packet()
            if packet is None:
                self._end(name, "finished")
                continue
            try:
                outlet.send(packet)
            except OSError as error:
                if error.errno not in PASSING:
                    self._end(name, "failed")
                    continue
            if stream.is_sounding and not was_sounding:
                self._tell(name, "started")

    def _end(self, name: str, what: str) -> None:
        if found := self._streams.pop(name, None):
            found[1].close()
        self._tell(name, what)


def open_outlet(host: str, port: int, ttl: int = 1, interface: str = "") -> socket.socket:
    """A socket to a group (or to one device), marked as speech for the network. Raises OSError."""
    outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        outlet.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        outlet.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, DSCP_EXPEDITED)
        if interface:
            outlet.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            outlet.bind((interface, 0))
        outlet.setblocking(False)
        outlet.connect((host, port))
    except OSError:
        outlet.close()
        raise
    return outlet


def raise_priority() -> str:
    """Ask the kernel to let us go first: real-time, else a better nice value, else nothing; which it was."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        return "realtime"
    except (OSError, AttributeError):
        pass
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
        return "nice"
    except OSError:
        return "normal"


def obey(orders: BinaryIO, pacer: Pacer, tell: Tell) -> None:
    """Carry out orders until there are no more."""
    while True:
        head = orders.read(LENGTHS.size)
        if len(head) < LENGTHS.size:
            return
        words, sound = (orders.read(length) for length in LENGTHS.unpack(head))
        _carry_out(json.loads(words), sound, pacer, tell)


def _carry_out(order: Mapping[str, Any], sound: bytes, pacer: Pacer, tell: Tell) -> None:
    name = str(order["stream"])
    if order["do"] == "stop":
        pacer.take_away(name)
        return
    host, port = order["to"]
    try:
        outlet = open_outlet(host, int(port), int(order["ttl"]), str(order["interface"]))
    except OSError:
        tell(name, "failed")
        return
    pacer.give(name, Stream(sound, LAWS[order["law"]], LEAD_PACKETS, TAIL_PACKETS), outlet)


def main() -> None:
    """Serve standard input. A thread reads it; this one sends."""
    gc.disable()  # nothing here makes cycles
    sys.setswitchinterval(0.0005)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end of the input ends us
    raise_priority()
    answers = sys.stdout

    def tell(name: str, what: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # whoever ordered it is gone
            answers.write(json.dumps({"stream": name, "what": what}) + "\n")
            answers.flush()

    pacer = Pacer(tell)

    def serve() -> None:
        try:
            obey(sys.stdin.buffer, pacer, tell)
        finally:
            pacer.end()

    threading.Thread(target=serve, daemon=True).start()
    pacer.run()


if __name__ == "__main__":
    main()
