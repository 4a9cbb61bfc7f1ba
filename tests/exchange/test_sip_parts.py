"""The parts of the line by themselves: numbers, keys, tones, the fence, what line and exchange say."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ivr.exchange.errors import ExchangeError
from ivr.exchange.sip.dialling import address_of
from ivr.exchange.sip.fence import Fence, FenceError, Warden, networks_of
from ivr.exchange.sip.keys import Keys
from ivr.exchange.sip.numbers import caller_of, dialled_of, e164
from ivr.exchange.sip.settings import LineSettings, Written
from ivr.exchange.sip.sources import Sources
from ivr.exchange.sip.stack import Invite
from ivr.exchange.sip.tones import COLUMNS, KEYS, ROWS, ToneEar
from ivr.exchange.sip.wire import read_from_line, read_to_line, said, say, sound_from_line, sound_to_line
from ivr.exchange.sound import RATE, from_floats

ALL = "1234567890*#"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13800001111", "+8613800001111"),
        ("013800001111", "+8613800001111"),
        ("8613800001111", "+8613800001111"),
        ("008613800001111", "+8613800001111"),
        ("+8613800001111", "+8613800001111"),
        ("057112345678", "+8657112345678"),
        ("8657112345678", "+8657112345678"),
        ("+85223456789", "+85223456789"),
        ("0085223456789", "+85223456789"),
        ("8001", ""),
        ("tingjian", ""),
        ("*67", ""),
        ("", ""),
    ],
)
def test_numbers_in_every_way_they_are_written(written: str, number: str) -> None:
    assert e164(written, "CN") == number


@pytest.mark.parametrize(
    ("invite", "caller"),
    [
        (Invite(from_='"Wang" <sip:013800001111@10.0.0.1;user=phone>;tag=1'), "+8613800001111"),
        (Invite(from_="sip:%2B8613800001111@10.0.0.1"), "+8613800001111"),
        (Invite(from_="<tel:+86-138-0000-1111>"), "+8613800001111"),
        (Invite(from_="<sip:anonymous@anonymous.invalid>", asserted="<tel:+8613800001111>"), ""),
        (Invite(from_="<sip:1@x>", asserted='"A" <sip:+8613800001111@x>, <tel:1>'), "+8613800001111"),
        (Invite(from_="<sip:13800001111@x>", privacy="id;critical"), ""),
        (Invite(from_="<sip:13800001111@x>", privacy="none"), "+8613800001111"),
        (Invite(from_="<sip:Restricted@x>"), ""),
        (Invite(), ""),
    ],
)  # fmt: skip
def test_callers_are_named_as_they_wish(invite: Invite, caller: str) -> None:
    assert caller_of(invite, "CN") == caller


def test_the_number_dialled_is_the_communitys() -> None:
    assert dialled_of(Invite(to="<sip:057112345678@x>"), "CN", "") == "+8657112345678"
    assert dialled_of(Invite(to="<sip:12345@x>"), "CN", "") == "12345"
    assert dialled_of(Invite(to="<sip:ivr@x>"), "CN", "+8657112345678") == "+8657112345678"
    assert dialled_of(Invite(to="<sip:900@x>"), "CN", "+8657112345678", "900") == "+8657112345678"
    assert dialled_of(Invite(), "CN", "") == ""


def test_the_trace_tells_where_a_call_came_from_whatever_its_headers_say() -> None:
    sources = Sources()
    for call_id, name, source in (("a@x", "Call-ID", "192.0.2.7"), ("b", "i ", "192.0.2.8")):
        text = (
            f"RX UDP {source}:5060 -> 192.0.2.1:5070\nINVITE sip:a@b SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 9.9.9.9;branch=z\r\n{name}: {call_id}\r\n\r\nv=0"
        )
        for other in (
            text,
            text.replace(source, "192.0.2.99"),
            "TX UDP a -> b (90000 bytes, too large to trace)",
        ):
            sources.emit(logging.LogRecord("t", logging.DEBUG, "", 0, other, None, None))
        assert sources.of(call_id) == source
    assert sources.of("c") == ""


@pytest.mark.parametrize(
    ("to", "how", "address"),
    [
        ("+8657188880000", "national", "sip:057188880000@pbx:5080"),
        ("+8613800001111", "national", "sip:13800001111@pbx:5080"),
        ("+85223456789", "national", "sip:0085223456789@pbx:5080"),
        ("+8657188880000", "e164", "sip:+8657188880000@pbx:5080"),
        ("057188880000", "national", "sip:057188880000@pbx:5080"),
        ("8001", "national", "sip:8001@pbx:5080"),
        ("+999", "national", "sip:+999@pbx:5080"),
        ("sip:speaker@127.0.0.1:5062", "e164", "sip:speaker@127.0.0.1:5062"),
    ],
)
def test_numbers_are_dialled_as_the_trunk_wants_them(to: str, how: Written, address: str) -> None:
    assert address_of(to, LineSettings("", "", out="pbx:5080", out_numbers=how)) == address


@pytest.mark.parametrize("to", ["sip:a@192.0.2.9", "sip:a@nowhere.invalid", "sip:a b@127.0.0.1", "12", "0a"])
def test_the_line_calls_nobody_outside_its_fence(to: str) -> None:
    with pytest.raises(ExchangeError):
        address_of(to, LineSettings("", "", out="127.0.0.1"))
    with pytest.raises(ExchangeError):
        address_of("+8613800001111", LineSettings("", ""))


def test_a_late_packet_of_a_press_is_no_press_and_a_second_press_is() -> None:
    keys = Keys()
    assert keys.press("1", "event", 10.0)
    keys.hold(10.12)  # held so long
    assert not keys.press("1", "event", 10.13)  # an old packet, late
    keys.hold(10.14)
    assert keys.press("2", "event", 10.15)
    assert keys.press("1", "event", 10.3)
    keys.hold(10.4)
    assert keys.press("1", "event", 10.65)


def test_a_press_that_comes_as_tone_and_event_is_one() -> None:
    keys = Keys()
    assert keys.press("5", "inband", 1.0)
    assert not keys.press("5", "event", 1.06)
    assert keys.has_events
    assert not keys.press("5", "inband", 1.08)
    assert keys.press("5", "event", 1.6)


@given(st.lists(st.tuples(st.sampled_from("12"), st.integers(0, 60)), max_size=40))
def test_a_digit_never_follows_itself_within_100_ms(presses: list[tuple[str, int]]) -> None:
    keys, now, last, at = Keys(), 0.0, "", 0.0
    for digit, later in presses:
        now += later / 1000
        if keys.press(digit, "event", now):
            assert digit != last or now - at >= 0.1
            last, at = digit, now


def key_sound(digit: str, seconds: float, level: float, twist: float = 1.0, shift: float = 0.0) -> np.ndarray:
    row = next(n for n, keys in enumerate(KEYS) if digit in keys)
    column = KEYS[row].index(digit)
    times = np.arange(int(RATE * seconds)) / RATE
    low = np.sin(2 * np.pi * ROWS[row] * (1 + shift) * times)
    high = np.sin(2 * np.pi * COLUMNS[column] * (1 + shift) * times)
    sound: np.ndarray = level * (low + twist * high)
    return sound


def hears(sound: np.ndarray, piece: int = 640) -> str:
    ear, pcm = ToneEar(), from_floats(sound)
    return "".join(ear.hear(pcm[start : start + piece]) for start in range(0, len(pcm), piece))


@pytest.mark.parametrize("level", [0.05, 0.2, 0.45])
@pytest.mark.parametrize("twist", [0.5, 1.0, 1.6])
@pytest.mark.parametrize("seconds", [0.04, 0.1])
def test_keys_are_heard_as_tones(level: float, twist: float, seconds: float) -> None:
    luck = np.random.default_rng(1)
    digits = ALL + "1122"
    parts = [np.concatenate([key_sound(d, seconds, level, twist), np.zeros(640)]) for d in digits]
    sound = np.concatenate([np.zeros(800), *parts])
    assert hears(sound + luck.normal(0, 0.003, len(sound))) == digits
    assert hears(sound, 1600) == digits


def test_tones_a_little_off_are_keys_and_far_off_are_none() -> None:
    for shift in (-0.01, 0.01):
        assert hears(np.concatenate([key_sound(d, 0.1, 0.2, shift=shift) for d in "159"])) == "159"
    assert hears(np.concatenate([key_sound(d, 0.1, 0.2, shift=0.035) for d in ALL])) == ""


def test_a_long_press_is_one_key_and_speech_is_none() -> None:
    assert hears(key_sound("8", 2.0, 0.2)) == "8"
    voices = sorted((Path(__file__).parents[1] / "speech").rglob("*.wav"))
    for voice in voices:
        sound, rate = soundfile.read(voice, dtype="float32", always_2d=True)
        if rate == RATE:
            assert hears(sound.mean(axis=1)) == "", voice.name
    luck = np.random.default_rng(3)
    times = np.arange(RATE * 20) / RATE
    pitch = 120 + 60 * np.sin(2 * np.pi * 0.7 * times)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    hum = sum(np.sin(n * phase) / n for n in range(1, 14)) * (np.sin(2 * np.pi * 2 * times) > -0.3)
    assert hears(0.15 * hum + luck.normal(0, 0.01, len(hum))) == ""


def test_the_fence_lets_in_its_networks_and_nobody_else() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(0.3)
        port = door.getsockname()[1]
        warden = Warden(Fence(networks_of(["127.0.0.1", "127.0.7.0/24"])), [port])
        assert warden.guard() == {port}
        assert [_knocks(door, host) for host in ("127.0.0.1", "127.0.7.9", "127.0.0.2", "127.0.8.1")] == [
            True, True, False, False,
        ]  # fmt: skip
        warden.move(Fence(networks_of(["127.0.0.2"])))
        assert [_knocks(door, host) for host in ("127.0.0.1", "127.0.0.2")] == [False, True]


def _knocks(door: socket.socket, host: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as guest:
        guest.bind((host, 0))
        guest.sendto(b"knock", door.getsockname())
    try:
        return door.recv(100) == b"knock"
    except TimeoutError:
        return False


def test_names_stand_for_their_addresses_and_nonsense_is_refused() -> None:
    assert [str(one) for one in networks_of(["localhost:5060", "10.1.2.3", "nowhere.invalid"])] == [
        "127.0.0.1/32", "10.1.2.3/32",
    ]  # fmt: skip
    for nonsense in ("1.2.3", "300.1.1.1", "10.0.0.0/99"):
        with pytest.raises(FenceError, match="no IPv4"):
            networks_of([nonsense])


@given(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1), st.binary(min_size=1, max_size=300_000))
def test_sound_arrives_as_it_was_sent(call: int, play: int, pcm: bytes) -> None:
    pieces = [read_to_line(message) for message in sound_to_line(call, play, pcm)]
    assert b"".join(piece for *_, piece in pieces) == pcm
    assert [is_last for _, _, is_last, _ in pieces] == [False] * (len(pieces) - 1) + [True]
    assert {(one, other) for one, other, *_ in pieces} == {(call, play)}
    assert read_from_line(sound_from_line(call, pcm)) == (call, pcm)


def test_what_is_no_act_is_no_act() -> None:
    assert said(say("key", 3, key="5")) == {"type": "key", "call": 3, "key": "5"}
    for nonsense in ("", "[]", "{", '{"type": "key"}', '{"call": "3"}'):
        assert said(nonsense) == {}
