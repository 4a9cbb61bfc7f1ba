"""Forms of Twilio's Calls resource: read into orders, or refused with its status and code."""

from __future__ import annotations

import pytest

from ivr.exchange.placing.orders import Order, Refused, read_order

PLAIN = {
    "To": ["+8613900000001"],
    "From": ["+8657112345678"],
    "Url": ["http://127.0.0.1:8000/calls/placed/1"],
}


def test_the_plainest_order_has_twilios_defaults() -> None:
    assert read_order(PLAIN) == Order("+8613900000001", "+8657112345678", PLAIN["Url"][0])
    assert (read_order(PLAIN).ring_seconds, read_order(PLAIN).events) == (60, {"completed"})


def test_everything_that_can_be_said() -> None:
    more = {
        "Method": ["get"],
        "StatusCallback": ["https://web.example/status?a=1"],
        "StatusCallbackEvent": ["initiated ringing", "answered"],
        "Timeout": ["25"],
        "TimeLimit": ["600"],
        "MachineDetection": ["Enable"],
        "MachineDetectionTimeout": ["10"],
        "Record": ["true"],
    }
    order = read_order(PLAIN | more)
    assert order.events == {"initiated", "ringing", "answered"}
    assert (order.method, order.ring_seconds, order.most_seconds) == ("GET", 25, 600)
    assert (order.detects_machine, order.detect_seconds) == (True, 10)


def test_an_address_brings_its_headers() -> None:
    to = "sip:speaker@10.0.0.7:5062?Call-Info=%3Csip%3A10.0.0.1%3E%3Banswer-after%3D0&X-Area=east"
    order = read_order(PLAIN | {"To": [to]})
    assert order.to == "sip:speaker@10.0.0.7:5062"
    assert order.headers == {"Call-Info": "<sip:10.0.0.1>;answer-after=0", "X-Area": "east"}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("To", "", 21201),
        ("To", "12", 21211),
        ("To", "1234567890123456", 21211),
        ("To", "anonymous", 21211),
        ("To", "+8613900000001?X-A=1", 21211),
        ("To", "sip:a@b?From=c", 21211),
        ("To", "sip:a@b?X-A=1%0d%0aTo:%20x", 21211),
        ("To", "sips:a@b", 21211),
        ("From", "", 21213),
        ("From", "village", 21212),
        ("Url", "", 21205),
        ("Url", "calls/1", 21205),
        ("Url", "http://[", 21205),
        ("StatusCallback", "ftp://x/y", 21205),
        ("StatusCallbackEvent", "answered hung-up", 21626),
        ("StatusCallbackMethod", "GET", 21209),
        ("Method", "PUT", 21209),
        ("Timeout", "0", 20001),
        ("Timeout", "601", 20001),
        ("TimeLimit", "soon", 20001),
        ("MachineDetectionTimeout", "2", 20001),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, value: str, code: int) -> None:
    with pytest.raises(Refused) as refused:
        read_order(PLAIN | {name: [value]})
    assert (refused.value.status, refused.value.code) == (400, code)


def test_keys_and_quiet_calls() -> None:
    order = read_order(PLAIN | {"SendDigits": ["wW12#ww"], "Quiet": ["true"]})
    assert (order.digits, order.is_quiet) == ("wW12#ww", True)
    assert "12#" not in repr(order)  # an adapter's PIN is in no log
    assert not read_order(PLAIN | {"Quiet": ["1"]}).is_quiet
    for digits in ("12a", "1 2", "9" * 65):
        with pytest.raises(Refused):
            read_order(PLAIN | {"SendDigits": [digits]})
