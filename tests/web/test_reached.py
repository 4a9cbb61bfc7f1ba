"""What platforms send, read as what reached the call."""

from __future__ import annotations

import pytest

from ivr.arrivals import Arrival, Delivered, Reached
from ivr.dialogue.turns import Dialled, Pressed, Silence
from ivr.web.reached import arrival_of, reached_of

URL = "https://platform.example/Recordings/RE1"


@pytest.mark.parametrize(
    ("sent", "reached"),
    [
        ({"Digits": "1"}, Pressed("1")),
        ({"Digits": "12*#"}, Pressed("12*#")),
        ({"Digits": ""}, Silence()),
        ({}, Silence()),
        ({"silence": "1", "Digits": "2"}, Silence()),
        ({"Digits": "1; drop"}, Pressed("1")),
        ({"DialCallStatus": "completed"}, Dialled(True)),
        ({"DialCallStatus": "no-answer"}, Dialled(False)),
        (
            {"RecordingUrl": URL, "RecordingSid": "RE1", "RecordingDuration": "12", "Digits": "#"},
            Delivered("RE1", URL, 12.0, "key"),
        ),
        (
            {"RecordingUrl": URL, "RecordingDuration": "12", "Digits": "hangup"},
            Delivered("RE1", URL, 12.0, "hangup"),
        ),
        (
            {"RecordingUrl": URL, "RecordingSid": "RE1", "RecordingDuration": "149", "limit": "150"},
            Delivered("RE1", URL, 149.0, "limit"),
        ),
        (
            {"RecordingUrl": URL, "RecordingSid": "RE1", "RecordingDuration": "30", "limit": "150"},
            Delivered("RE1", URL, 30.0, "silence"),
        ),
        ({"RecordingUrl": URL, "RecordingSid": "RE1"}, Delivered("RE1", URL, None, "silence")),
        (
            {"RecordingUrl": URL, "RecordingSid": "RE1", "RecordingDuration": "-3"},
            Delivered("RE1", URL, None, "silence"),
        ),
    ],
)
def test_what_answers_a_turn(sent: dict[str, str], reached: Reached) -> None:
    assert reached_of(sent) == reached


def test_the_handset_is_believed_of_our_own_exchange_only() -> None:
    sent = {"CallSid": "CA1", "From": "+8613800001111", "To": "+8657112345678", "Handset": "browser"}
    ours = Arrival("CA1", "exchange", "+8613800001111", "+8657112345678", "browser", is_practice=True)
    assert arrival_of(sent, "exchange") == ours
    assert arrival_of(sent, "twilio").handset == "phone"
    assert not arrival_of(sent, "twilio").is_practice
    assert not arrival_of({**sent, "Handset": "sip"}, "exchange").is_practice
    assert arrival_of({**sent, "Handset": "satellite"}, "exchange").handset == "phone"
