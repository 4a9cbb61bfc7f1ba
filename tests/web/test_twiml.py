"""Documents: the verbs a platform needs, and nothing it does not know."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from twilio.twiml.voice_response import Gather, VoiceResponse

from ivr.arrivals import Manner
from ivr.dialogue.turns import (
    AskRecords,
    DialPerson,
    Digits,
    EndCall,
    GatherKeys,
    Line,
    Place,
    RecordSpeech,
    Sound,
    Text,
    Turn,
    Wait,
)
from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.web.twiml import TwimlRenderer

BASE = "https://phone.example.org/tj"
PORTABLE = {
    "Response",
    "Say",
    "Play",
    "Gather",
    "Record",
    "Redirect",
    "Hangup",
    "Reject",
    "Dial",
    "Number",
    "Sip",
}
BOOK = Book(
    "zh",
    {"hello": "您好 <欢迎> & 请听", "title": "题目是{title}", "number": "号码{digits}", "voice": "{voice}"},
)


@pytest.fixture
def clips(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "clips", b"secret")


@pytest.fixture
def renderer(clips: ClipStore) -> TwimlRenderer:
    return TwimlRenderer(BASE, clips, lambda recording_id: f"signed-{recording_id}", lambda language: BOOK)


MANNER = Manner("CA1", 4, "cm_1", "zh", "zf_xiaobei")


def turn(wait: Wait, *lines: Line) -> Turn:
    return Turn(lines or (Line("hello"),), wait, Place("somewhere"))


def parsed(document: str) -> ElementTree.Element:
    return ElementTree.fromstring(document.encode())


def test_keys_are_gathered_as_the_providers_own_library_would_write_it(renderer: TwimlRenderer) -> None:
    expected = VoiceResponse()
    gather = Gather(
        input="dtmf",
        num_digits=1,
        timeout=10,
        finish_on_key="",
        action=f"{BASE}/calls/CA1/turns/5",
        method="POST",
    )
    gather.say("您好 <欢迎> & 请听", language="cmn-CN")
    expected.append(gather)
    expected.redirect(f"{BASE}/calls/CA1/turns/5?silence=1", method="POST")
    ours, theirs = parsed(renderer(turn(GatherKeys()), MANNER)), parsed(str(expected))
    assert [(e.tag, e.attrib, e.text) for e in ours.iter()] == [
        (e.tag, e.attrib, e.text) for e in theirs.iter()
    ]


def test_a_typed_number_ends_at_the_hash_key(renderer: TwimlRenderer) -> None:
    gather = parsed(renderer(turn(GatherKeys(count=8, finish_on="#")), MANNER)).find("Gather")
    assert gather is not None
    assert (gather.get("numDigits"), gather.get("finishOnKey")) == ("8", "#")


def test_a_recording_has_its_end_spelt_out_and_a_callback(renderer: TwimlRenderer) -> None:
    response = parsed(renderer(turn(RecordSpeech(150, 5)), MANNER))
    assert [verb.tag for verb in response] == ["Say", "Record", "Redirect"]
    assert response[1].attrib == {
        "maxLength": "150",
        "timeout": "5",
        "finishOnKey": "#",
        "playBeep": "true",
        "trim": "do-not-trim",
        "action": f"{BASE}/calls/CA1/turns/5?limit=150",
        "method": "POST",
        "recordingStatusCallback": f"{BASE}/calls/CA1/turns/5/recording",
        "recordingStatusCallbackMethod": "POST",
        "recordingStatusCallbackEvent": "completed",
    }


def test_a_further_segment_begins_without_the_beep(renderer: TwimlRenderer) -> None:
    record = parsed(renderer(turn(RecordSpeech(is_continued=True)), MANNER)).find("Record")
    assert record is not None
    assert record.get("playBeep") == "false"


@pytest.mark.parametrize(("number", "callee"), [("+8657188888888", "Number"), ("sip:office@10.0.0.2", "Sip")])
def test_a_person_is_rung_at_a_number_or_a_sip_address(
    renderer: TwimlRenderer, number: str, callee: str
) -> None:
    response = parsed(renderer(turn(DialPerson(number)), MANNER))
    assert [verb.tag for verb in response] == ["Say", "Dial", "Redirect"]
    assert (response[1][0].tag, response[1][0].text) == (callee, number)


def test_a_goodbye_hangs_up(renderer: TwimlRenderer) -> None:
    assert [verb.tag for verb in parsed(renderer(turn(EndCall()), MANNER))] == ["Say", "Hangup"]


def test_rendered_clips_are_played_and_the_rest_is_said(renderer: TwimlRenderer, clips: ClipStore) -> None:
    name = clips.name("题目是", MANNER.voice)
    clips.write(name, b"phone", b"full", "题目是")
    gather = parsed(renderer(turn(GatherKeys(), Line("title", {"title": Text("修路")})), MANNER)).find(
        "Gather"
    )
    assert gather is not None
    assert [(verb.tag, verb.text) for verb in gather] == [
        ("Play", f"{BASE}/media/{name}.wav"),
        ("Say", "修路"),
    ]


def test_an_own_voice_is_played_from_a_signed_link(renderer: TwimlRenderer) -> None:
    gather = parsed(renderer(turn(GatherKeys(), Line("voice", {"voice": Sound("rec_7")})), MANNER)).find(
        "Gather"
    )
    assert gather is not None
    assert gather[0].text == f"{BASE}/media/voice/signed-rec_7.wav"


def test_every_wait_has_a_way_on_and_portable_verbs_only(renderer: TwimlRenderer) -> None:
    for wait in (
        GatherKeys(),
        GatherKeys(8, "#"),
        RecordSpeech(),
        RecordSpeech(is_continued=True),
        DialPerson("1"),
    ):
        response = parsed(renderer(turn(wait, Line("number", {"digits": Digits("12345678")})), MANNER))
        assert {element.tag for element in response.iter()} <= PORTABLE
        assert response[-1].tag == "Redirect"
        for element in response.iter():
            for address in (element.get("action"), element.get("recordingStatusCallback")):
                assert address is None or address.startswith(BASE)


def test_a_question_to_the_records_never_reaches_the_phone(renderer: TwimlRenderer) -> None:
    with pytest.raises(ValueError, match="were not asked"):
        renderer(turn(AskRecords("standing_ballot")), MANNER)
