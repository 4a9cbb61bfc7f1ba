"""What must not harm the line: strangers, torture, broken SDP, bad networks, forged sound, floods of keys."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.exchange.sip_phone import Network, RawPhone, encoded, open_port
from tests.exchange.sip_town import SipTown, Stage, stage
from tests.exchange.test_sip_line import ALL, likeness, recording, resemblance, told_of
from tests.exchange.town import speech, twiml
from tests.live import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), LIVE]
STRANGER, TRUNK = "127.0.0.2", "127.0.5.2"
WAITS = '<Gather numDigits="12" timeout="5" finishOnKey="" action="BASE/turns/1"></Gather>'
RECORD = '<Record action="BASE/turns/2" timeout="1" finishOnKey="#" maxLength="10"/>'


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One town for all scenes."""
    with stage(tmp_path_factory.mktemp("fence"), {"trunks": ("127.0.3.0/24", TRUNK)}) as here:
        yield here


def test_strangers_get_no_answer_at_all(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.raw(host=STRANGER) as scanner:
            for method in ("OPTIONS", "REGISTER", "INVITE", "BYE", "ACK", "SUBSCRIBE"):
                scanner.send(scanner.request(method, scanner.sdp() if method == "INVITE" else ""))
            scanner.send(b"\x00" * 40)
            scanner.send("OPTIONS sip:100@127.0.0.1 SIP/2.0\r\n\r\n")
            await asyncio.sleep(0.7)
            assert scanner.messages == []
        assert t.web.knocks == []
        await _takes_a_call(t)

    scenes.play(scene)


def test_a_trunk_that_is_named_may_call(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.raw(host=TRUNK) as one, t.raw(host="127.0.3.9") as other:
            await asyncio.gather(one.call(), other.call())
        async with t.raw(host="127.0.4.9") as stranger:
            await stranger.invite()
            await asyncio.sleep(0.5)
            assert stranger.messages == []

    scenes.play(scene)


def test_forged_sound_is_not_recorded(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(RECORD)
        t.web.pages["/turns/2"] = twiml("<Hangup/>")
        forger = await open_port(STRANGER, lambda data, source: None)
        async with t.raw() as phone:
            await phone.call()
            await asyncio.sleep(0.7)
            said = speech(2.5, seed=8)
            phone.say(said)
            noise = encoded(speech(1, 0.5, seed=99)[:320], "alaw")
            assert phone._media
            for number in range(100):
                head = bytes([0x80, 8]) + number.to_bytes(2, "big") + bytes(4) + b"evil"
                forger.sendto(head + noise, phone._media)
                await asyncio.sleep(0.02)
            await phone.until(lambda: not phone._outgoing)
            await phone.press("#")
            await phone.until(lambda: phone.is_over)
            await t.web.until(lambda: bool(t.web.at("/turns/2")))
            _, kept = await recording(t, t.web.at("/turns/2")[0].params["RecordingSid"])
        forger.close()
        assert resemblance(said[8000:32000], kept) > 0.99

    scenes.play(scene)


def test_a_bad_network_garbles_no_key_and_little_speech(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        t.web.pages["/turns/1"] = twiml(RECORD)
        t.web.pages["/turns/2"] = twiml("<Hangup/>")

        said, digits = speech(3, seed=4), ALL[:-1] + "5"

        async def call(number: str, network: Network, least: float) -> None:
            async with t.raw(network=network, caller=f"<sip:{number}@127.0.0.1>") as phone:
                await phone.call()
                await asyncio.sleep(0.2)
                await phone.press(digits, apart=0.15)
                await asyncio.sleep(0.8)
                await phone.speak(said)
                await phone.until(lambda: phone.is_over)
            (typed,) = told_of(t, number, "/turns/1")
            assert typed["Digits"] == digits, network
            (recorded,) = told_of(t, number)
            status, wav = await t.recording("GET", recorded["RecordingSid"])
            assert status == 200
            pieces = [said[place : place + 8000] for place in range(0, len(said), 8000)]
            good = sum(likeness(one, wav[44:]) > 0.6 for one in pieces)
            assert good >= least * len(pieces), (network, good)

        await asyncio.gather(
            call("13900000001", Network(loss=0.03), 0.6),
            call("13900000002", Network(swapped=0.01), 0.9),
            call("13900000003", Network(jitter_ms=30), 0.9),
            call("13900000004", Network(loss=0.03, swapped=0.01, jitter_ms=30), 0.5),
        )

    scenes.play(scene)


def test_a_flood_of_keys_harms_nobody(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        t.web.pages["/turns/1"] = twiml(WAITS)
        async with t.raw() as phone, t.raw() as other:
            await phone.call()
            await other.call()
            for number in range(400):
                phone.send(_info(phone, ALL[number % 12]))
                if number % 50 == 0:
                    await asyncio.sleep(0.02)
            await other.press(ALL, apart=0.1)
            await t.web.until(lambda: any(k.params.get("Digits") == ALL for k in t.web.at("/turns/1")), 10)
            assert not other.is_over
        await _takes_a_call(t)

    scenes.play(scene)


def _info(phone: RawPhone, digit: str) -> str:
    phone.cseq += 1
    return phone.request("INFO", f"Signal={digit}\r\nDuration=20\r\n", "application/dtmf-relay")


def test_torture_messages_and_broken_offers_leave_the_line_alive(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.raw() as phone:
            for message in (*torture(phone), *broken_offers(phone), *mangled(phone)):
                phone.send(message)
                await asyncio.sleep(0.002)
            await asyncio.sleep(0.5)
            phone.is_over = True
        assert t.process.returncode is None
        await _takes_a_call(t)

    scenes.play(scene)


def torture(phone: RawPhone) -> list[bytes]:
    """Messages of the kinds RFC 4475 names: odd but right, wrong in syntax, wrong in meaning."""
    invite = phone.request("INVITE", phone.sdp(), branch="z9hG4bKt1")
    head, _, body = invite.partition("\r\n\r\n")
    folded = head.replace("Max-Forwards: 70", "Max-Forwards:\r\n\t 0070").replace("Call-ID", "i")
    wrong = {
        "escaped": invite.replace("sip:057112345678", "sip:%30571%31%32345678;param=%5B%00%5D"),
        "folded": f"{folded}\r\n\r\n{body}",
        "no-crlf": invite.replace("\r\n", "\n"),
        "length-long": invite.replace(f"Content-Length: {len(body)}", "Content-Length: 9999"),
        "length-minus": invite.replace(f"Content-Length: {len(body)}", "Content-Length: -999"),
        "cseq": invite.replace("CSeq: 1 INVITE", "CSeq: 36893488147419103232 REGISTER"),
        "unknown": invite.replace("INVITE", "RE!@#$%^&*INVITE"),
        "version": invite.replace("SIP/2.0", "SIP/7.0"),
        "many-via": invite.replace("Via: ", "Via: SIP/2.0/UDP 192.0.2.1;branch=x\r\nVia: " * 40),
        "no-from": "\r\n".join(line for line in invite.split("\r\n") if not line.startswith("From")),
        "no-body": f"{head}\r\n\r\n",
        "quotes": invite.replace("From: ", 'From: "unclosed '),
        "brackets": invite.replace("<sip:phone@", "<<sip:phone@"),
        "long": invite.replace("Max-Forwards: 70", "Max-Forwards: 70\r\nSubject: " + "x" * 8000),
        "utf8": invite.replace("From: ", "From: \u542c\u89c1\u200b\u0000"),
        "spaces": invite.replace(" SIP/2.0\r\n", "  SIP/2.0\r\n", 1),
        "answer": "SIP/2.0 4294967301 better not break\r\n" + head.partition("\r\n")[2] + "\r\n\r\n",
        "two-to": head + f"\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\n\r\n{body}",
        "uri-headers": invite.replace("sip:057112345678@", "sip:a?Route=%3Csip:x%3E@"),
        "require": head + f"\r\nRequire: nothingSupportsThis\r\n\r\n{body}",
        "type": invite.replace("application/sdp", "multipart/mixed;boundary=7a9cb"),
        "mailto": invite.replace("INVITE sip:", "INVITE nobodyKnows:", 1),
        "date": head + f"\r\nDate: Fri, 01 Jan 2010 16:00:00 EST\r\nExpires: {'9' * 400}\r\n\r\n{body}",
    }
    return [
        text.replace(phone.call_id, f"t-{name}").encode("utf-8", "surrogatepass")
        for name, text in wrong.items()
    ]


def broken_offers(phone: RawPhone) -> list[bytes]:
    """Invitations whose SDP makes no sense."""
    good = phone.sdp()
    bodies = [
        good.replace("m=audio", "m=audio 0 m=audio"),
        good.replace("RTP/AVP 8", "RTP/AVP " + " ".join(str(n) for n in range(128))),
        good.replace("c=IN IP4 127.0.0.1", "c=IN IP4 999.1.2.3"),
        good.replace("c=IN IP4 127.0.0.1\r\n", ""),
        good.replace("v=0", "v=99999999999999999999"),
        good.replace(str(phone.rtp_port), "99999999"),
        good.replace("a=rtpmap:8 PCMA/8000", "a=rtpmap:8 PCMA/0"),
        good.replace("a=ptime:20", "a=ptime:0\r\na=maxptime:-1"),
        "v=0\r\n" * 2000,
        "m=audio\r\n",
        "\x00\xff" * 500,
        good + "a=" + "y" * 20000,
        good.replace("8 101", "8 101 101 101").replace("a=fmtp:101 0-15", "a=fmtp:101 -1-9999"),
    ]
    found = []
    for number, body in enumerate(bodies):
        text = phone.request("INVITE", body, branch=f"z9hG4bKb{number}").replace(phone.call_id, f"b-{number}")
        found.append(text.encode("utf-8", "replace"))
    return found


def mangled(phone: RawPhone) -> list[bytes]:
    """A good invitation with some of its bytes changed, cut off or doubled."""
    luck = random.Random(4475)
    found = []
    for number in range(150):
        data = bytearray(phone.request("INVITE", phone.sdp()).replace(phone.call_id, f"m-{number}").encode())
        for _ in range(luck.randint(1, 12)):
            data[luck.randrange(len(data))] = luck.randrange(256)
        place = luck.randrange(len(data))
        found.append(bytes(data[:place] if number % 3 == 0 else data + data[place:]))
    return found


async def _takes_a_call(t: SipTown) -> None:
    count = len(t.web.at("/calls"))
    async with t.raw() as phone:
        await phone.call(20)
        await t.web.until(lambda: len(t.web.at("/calls")) > count)
