"""The settings of the telephone line."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest

from admin.line_choice import is_line_free
from admin.line_test import clips_in
from admin.settings import Settings, SettingsError
from ivr.exchange.sip.settings import ProviderAccount
from ivr.exchange.sound import from_floats, to_wav
from ivr.prompts.clips import ClipStore


def read(**given: str) -> Settings:
    return Settings.from_environment(given)


def test_a_line_is_there_unless_it_is_off() -> None:
    line = read().line
    assert line is not None
    assert (line.host, line.port, line.rtp_ports, line.trunks) == ("127.0.0.1", 5070, (16384, 17383), ())
    assert read(TINGJIAN_SIP="off").line is None


def test_everything_can_be_set() -> None:
    line = read(
        TINGJIAN_SIP="192.0.2.1:5080",
        TINGJIAN_SIP_TRUNKS="192.0.2.9, 198.51.100.0/24 sip.example.com",
        TINGJIAN_SIP_SPEAKERS="192.168.8.0/24 10.0.0.7",
        TINGJIAN_SIP_RTP_PORTS="30000-30100",
        TINGJIAN_SIP_JITTER="off",
        TINGJIAN_SIP_ACCOUNT="0571@sip.example.com:5060",
        TINGJIAN_SIP_PASSWORD="secret",
        TINGJIAN_SIP_OUT="192.0.2.9",
        TINGJIAN_SIP_OUT_NUMBERS="e164",
        TINGJIAN_SIP_RING_SECONDS="12",
    ).line
    assert line is not None
    assert line.trunks == ("192.0.2.9", "198.51.100.0/24", "sip.example.com")
    assert line.speakers == ("192.168.8.0/24", "10.0.0.7")
    assert (line.rtp_ports, line.jitter, line.out) == ((30000, 30100), "off", "192.0.2.9")
    assert (line.out_numbers, line.ring_seconds) == ("e164", 12)
    assert line.account == ProviderAccount("0571", "sip.example.com:5060", "secret")
    assert "secret" not in repr(line)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TINGJIAN_SIP", "here"),
        ("TINGJIAN_SIP", "127.0.0.1:99999"),
        ("TINGJIAN_SIP_TRUNKS", "300.1.2.3"),
        ("TINGJIAN_SIP_SPEAKERS", "192.168.8.0/99"),
        ("TINGJIAN_SIP_SPEAKERS", "speaker.example.com"),
        ("TINGJIAN_SIP_RTP_PORTS", "200-100"),
        ("TINGJIAN_SIP_JITTER", "large"),
        ("TINGJIAN_SIP_ACCOUNT", "nobody"),
        ("TINGJIAN_SIP_OUT", "a b"),
        ("TINGJIAN_SIP_OUT_NUMBERS", "local"),
        ("TINGJIAN_SIP_RING_SECONDS", "31"),
        ("TINGJIAN_SIP_CALLS_A_MINUTE", "0"),
        ("TINGJIAN_LINES_OUT", "0"),
    ],
)
def test_nonsense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(**{name: value})


def test_another_process_reads_the_same_line() -> None:
    line = read(TINGJIAN_SIP="off")
    assert Settings.from_environment(line.to_environment()).line is None


def test_a_port_that_is_taken_is_told_and_no_reason_to_stop() -> None:
    told: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        line = read(TINGJIAN_SIP=f"127.0.0.1:{taken.getsockname()[1]}").line
        assert not is_line_free(line, told.append)
        assert "TINGJIAN_SIP" in told[0]
    assert is_line_free(line, told.append)
    assert not is_line_free(None, told.append)
    assert len(told) == 1


def test_the_clips_of_a_call_are_found_in_its_sound(tmp_path: Path) -> None:
    clips, luck = ClipStore(tmp_path, b"secret"), np.random.default_rng(5)
    voices = {name: luck.normal(0, 0.1, 8000 + 2000 * n) for n, name in enumerate(("一", "二", "三"))}
    for words, voice in voices.items():
        wav = to_wav(from_floats(voice))
        clips.write(clips.name(words, "v"), wav, wav, words)
    heard = np.concatenate([np.zeros(4000), voices["三"], voices["一"]]) + luck.normal(0, 0.01, 24000)
    found = clips_in(heard.astype(np.float32), clips)
    assert [one.caption for one in found] == ["三", "一"]
    assert found[0].at == pytest.approx(0.5, abs=0.01)
