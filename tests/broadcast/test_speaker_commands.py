"""`tingjian speaker`: hang one up, list it, write the broker's files; what it plays into; mistakes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from admin.cli import main
from ivr.broadcast.loudspeakers import BroadcastError
from ivr.broadcast.player import SoundCard, WavPlayer
from speech.audio import Audio


@pytest.fixture
def tingjian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`tingjian("speaker", "list")` in a home of its own, with one community."""
    monkeypatch.setenv("TINGJIAN_HOME", str(tmp_path))
    monkeypatch.delenv("TINGJIAN_MQTT", raising=False)

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, words)

    assert run("community", "add", "桃源", "+8657112340001").exit_code == 0
    return run


def test_a_loudspeaker_is_added_listed_and_known_to_the_broker(
    tingjian: Callable[..., Result], tmp_path: Path
) -> None:
    added = tingjian("speaker", "add", "村口1号", "--place", "村口大树下")
    *words, secret = added.output.replace("，", " ").split()
    speaker_id = next(word for word in words if word.startswith("ls_"))
    listed = tingjian("speaker", "list").output
    assert "村口1号" in listed
    assert speaker_id in listed
    assert secret not in listed
    page = tingjian(
        *("speaker", "add", "广播站", "--kind", "multicast"),
        *("--address", "group=239.255.70.1", "--address", "port=10010"),
    )
    assert page.exit_code == 0, page.output
    for wrong in (
        ("speaker", "add", "村口1号"),
        ("speaker", "add", "x", "--kind", "smoke"),
        ("speaker", "add", "x", "--kind", "sip"),
        ("speaker", "simulate"),
        ("speaker", "simulate", "没有这只", "--mqtt", "mqtt://127.0.0.1"),
        ("speaker", "simulate", "--mqtt", "http://127.0.0.1"),
        ("speaker", "simulate", "--sip", "nowhere"),
        ("speaker", "broker-files", "/proc/none"),
    ):
        answer = tingjian(*wrong)
        assert answer.exit_code == 1, wrong
        assert answer.output.startswith("Error: "), answer.output
    folder = tmp_path / "lists"
    assert "3 accounts" in tingjian("speaker", "broker-files", str(folder)).output
    assert tingjian("speaker", "broker-files", str(folder)).output == ""
    assert secret not in (folder / "passwords").read_text()


def test_a_wav_file_is_whole_at_any_moment_and_as_loud_as_asked(tmp_path: Path) -> None:
    wave = (np.sin(np.arange(8000) * 0.3) * 0.5).astype(np.float32)
    path, lengths = tmp_path / "heard" / "x.wav", list[float]()

    async def scene() -> None:
        player = WavPlayer(path, speed=4.0)
        playing = asyncio.create_task(player.play(Audio(wave, 8000), 50))
        while not playing.done():
            await asyncio.sleep(0.03)
            if path.exists():
                lengths.append(soundfile.info(path).duration)
        await player.play(Audio(wave, 8000), 100)

    asyncio.run(scene())
    assert len(set(lengths)) > 2
    assert lengths == sorted(lengths)
    samples, rate = soundfile.read(path)
    assert (rate, len(samples)) == (24_000, 48_000)
    soft, loud = (np.abs(half).mean() for half in (samples[:24_000], samples[24_000:]))
    assert soft / loud == pytest.approx(0.5, abs=0.01)
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(BroadcastError):
        WavPlayer(tmp_path / "folder.wav").write(wave)


@pytest.mark.skipif(find_spec("sounddevice") is not None, reason="there is a sound card library here")
def test_without_a_sound_card_that_is_said() -> None:
    with pytest.raises(BroadcastError, match="sounddevice"):
        SoundCard()
