"""Recordings are brought home whole, whatever mood their source is in."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sync import fetching
from sync.fetching import FetchError, acknowledge, fetch
from tests.sync.recording_source import RecordingSource, a_wav, credentials, source

__all__ = ["source"]

QUICK = (0.01, 0.01)


@dataclass
class Announced:
    url: str | None
    id: str = "rec_1"
    line: str = "exchange"


def test_a_recording_arrives_byte_for_byte(source: RecordingSource) -> None:
    sound = a_wav(5)
    assert fetch(Announced(source.add("RE1", sound)), credentials) == sound


@pytest.mark.parametrize("mood", [404, 500, 503, "truncated", "slammed"])
def test_a_source_that_fails_at_first_is_asked_again(source: RecordingSource, mood: int | str) -> None:
    sound = a_wav()
    source.moods = [mood, mood]
    assert fetch(Announced(source.add("RE1", sound)), credentials, QUICK) == sound
    assert len(source.requests) == 3


def test_half_a_recording_is_never_taken_for_a_whole_one(source: RecordingSource) -> None:
    source.moods = ["truncated"] * 3
    with pytest.raises(FetchError, match="unreachable"):
        fetch(Announced(source.add("RE1", a_wav())), credentials, QUICK)


def test_what_the_source_does_not_know_is_absent(source: RecordingSource) -> None:
    with pytest.raises(FetchError) as refused:
        fetch(Announced(f"{source.base}/recordings/none.wav"), credentials, QUICK)
    assert refused.value.is_absent
    assert len(source.requests) == 3


def test_the_line_proves_who_it_is_and_a_refusal_says_so(source: RecordingSource) -> None:
    url = source.add("RE1", a_wav())
    with pytest.raises(FetchError, match="credentials"):
        fetch(Announced(url, line="unknown"), credentials, QUICK)


def test_what_is_too_large_is_refused(source: RecordingSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST_BYTES", 1000)
    with pytest.raises(FetchError, match="larger than 1000"):
        fetch(Announced(source.add("RE1", a_wav())), credentials, ())


@pytest.mark.parametrize("url", [None, "", "file:///etc/passwd", "/recordings/RE1.wav"])
def test_only_web_addresses_are_fetched(url: str | None) -> None:
    with pytest.raises(FetchError, match="no address"):
        fetch(Announced(url), credentials, ())


def test_the_source_may_be_told_twice_to_forget(source: RecordingSource) -> None:
    recording = Announced(source.add("RE1", a_wav()))
    assert acknowledge(recording, credentials)
    assert acknowledge(recording, credentials)
    assert source.recordings == {}


def test_a_source_that_refuses_or_is_gone_has_not_forgotten(source: RecordingSource) -> None:
    url = source.add("RE1", a_wav())
    assert not acknowledge(Announced(url, line="unknown"), credentials)
    assert not acknowledge(Announced("http://127.0.0.1:9/recordings/RE1.wav"), credentials)
