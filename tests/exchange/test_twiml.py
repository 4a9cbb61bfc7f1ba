"""The portable core of TwiML: what is read, and what is refused with a clear word."""

from __future__ import annotations

import pytest

from ivr.exchange.errors import TwimlError
from ivr.exchange.twiml import (
    PORTABLE,
    Dial,
    Gather,
    Hangup,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
    parse,
)
from tests.exchange.town import twiml

HERE = "https://village.example/calls/CA1/turns/2?silence=1"


def read(*verbs: str) -> tuple[object, ...]:
    return parse(twiml(*verbs), HERE).verbs


def test_every_portable_verb_is_read():
    assert read(
        '<Say language="cmn-CN" loop="2"> 您好，\n 欢迎 </Say>',
        "<Play>/media/a.wav</Play>",
        '<Gather action="/next" numDigits="1" timeout="10" finishOnKey="">'
        "<Say>一</Say><Play>b.wav</Play></Gather>",
        '<Record action="r" timeout="5" maxLength="150" finishOnKey="#" playBeep="false"'
        ' recordingStatusCallback="/told"/>',
        '<Dial timeout="25" action="/dialled"><Number>+8657100000000</Number></Dial>',
        "<Redirect>/calls/CA1/turns/3?silence=1</Redirect>",
        '<Reject reason="busy"/>',
        "<Hangup/>",
    ) == (
        Say("您好， 欢迎", "cmn-CN", 2),
        Play("https://village.example/media/a.wav"),
        Gather(
            "https://village.example/next",
            timeout_seconds=10,
            finish_on="",
            num_digits=1,
            prompts=(Say("一"), Play("https://village.example/calls/CA1/turns/b.wav")),
        ),
        Record(
            "https://village.example/calls/CA1/turns/r",
            silence_seconds=5,
            finish_on="#",
            max_seconds=150,
            has_beep=False,
            status_callback="https://village.example/told",
        ),
        Dial("+8657100000000", "https://village.example/dialled", timeout_seconds=25),
        Redirect("https://village.example/calls/CA1/turns/3?silence=1"),
        Reject("busy"),
        Hangup(),
    )


def test_defaults_are_those_of_the_published_attribute_tables():
    gather, record, dial = read("<Gather/>", "<Record/>", "<Dial>12345</Dial>")
    assert gather == Gather(HERE, "POST", 5, "#", None, ())
    assert record == Record(HERE, "POST", 5, "1234567890*#", 3600, True, "")
    assert dial == Dial("12345", "", "POST", 30)


@pytest.mark.parametrize("verb", ["Pause", "Connect", "Enqueue", "Pay", "Sms", "Stream"])
def test_a_verb_outside_the_core_is_named(verb: str):
    with pytest.raises(TwimlError, match=f"<{verb}> is outside the portable core .*{PORTABLE[0]}"):
        read(f"<{verb}/>")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("not xml", "not XML"),
        ("<Reply/>", "begins with <Response>"),
        ('<!DOCTYPE r [<!ENTITY a "aa">]><Response>&a;</Response>', "document type"),
        (twiml("<Gather><Record/></Gather>"), "<Record> cannot stand inside <Gather>"),
        (twiml('<Gather input="speech"/>'), "speech is not portable"),
        (twiml('<Gather timeout="soon"/>'), "not a number"),
        (twiml('<Gather numDigits="0"/>'), "out of range"),
        (twiml('<Gather finishOnKey="x"/>'), "no telephone has"),
        (twiml('<Record playBeep="maybe"/>'), "true or false"),
        (twiml("<Play></Play>"), "needs the URL"),
        (twiml("<Dial/>"), "needs a number"),
        (twiml("<Dial><Client>a</Client></Dial>"), "one <Number> or <Sip>"),
        (twiml('<Redirect method="PUT">/a</Redirect>'), "GET or POST"),
    ],
)
def test_what_cannot_be_executed_is_refused_in_words(document: str, told: str):
    with pytest.raises(TwimlError, match=told):
        parse(document, HERE)


def test_comments_are_skipped_and_clips_are_listed_as_they_will_be_heard():
    document = parse(
        twiml("<!-- greeting -->", "<Play>/1</Play>", "<Gather><Play>/2</Play></Gather>", "<Play>/3</Play>"),
        HERE,
    )
    assert document.sounds() == tuple(f"https://village.example/{n}" for n in (1, 2, 3))
