"""From sound to words: redacted, categorised, kept once, whatever goes wrong on the way."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from speech.errors import SpeechError
from speech.redact import redact
from sync import problems
from sync.archive import Archive
from sync.erase import erase_person, withdraw_opinion
from sync.records.tables import Change, Community, Opinion, Recording, Setting, Transcript
from sync.settle import settle_batch
from sync.sound import hints_for
from sync.storing import store_recording
from sync.words import transcribe_opinion
from tests.sync.recording_source import RecordingSource, a_wav, credentials, source
from tests.sync.voices import NOW, Parrot, Said, a_topic, opinion_of, say

__all__ = ["source"]


def clock() -> datetime:
    return NOW


def later() -> datetime:
    return NOW + timedelta(hours=1)


def stored(
    archive: Archive, community: Community, source: RecordingSource, sounds: list[bytes], key: str = "1"
) -> Said:
    """An opinion whose segments lie sealed in the store."""
    urls = [source.add(f"RE{key}{n}", sound) for n, sound in enumerate(sounds)]
    said = say(archive, community, urls, key=key)
    settle_batch(archive, now=NOW)
    for recording_id in said.recordings:
        store_recording(archive, recording_id, credentials, clock, pauses=())
    return said


def transcripts(archive: Archive, opinion_id: str) -> list[Transcript]:
    with archive.database.read() as session:
        query = select(Transcript).where(Transcript.opinion_id == opinion_id).order_by(Transcript.version)
        return list(session.scalars(query))


def test_words_are_sealed_redacted_and_categorised(
    any_archive: Archive, any_community: Community, source: RecordingSource
) -> None:
    said = stored(any_archive, any_community, source, [a_wav()])
    parrot = Parrot("小区门口的路灯坏了，请打我电话幺三九幺二三四五六七八")
    assert transcribe_opinion(any_archive, said.opinion_id, lambda: parrot, clock)
    opinion, [words] = opinion_of(any_archive, said), transcripts(any_archive, said.opinion_id)
    assert (opinion.state, opinion.needs_listening, opinion.problem) == ("review", False, None)
    assert opinion.category
    assert words.redacted is not None
    assert "路灯坏了" in words.redacted
    assert "三九" not in words.redacted
    assert words.sealed_text is not None
    assert "路灯".encode() not in words.sealed_text
    assert (words.version, words.engine, words.made_by) == (1, "parrot", "machine")


def test_transcribing_twice_gives_one_version_and_one_change(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav()])
    parrot = Parrot()
    done = [transcribe_opinion(archive, said.opinion_id, lambda: parrot, clock) for _ in range(3)]
    assert done == [True, False, False]
    assert len(parrot.heard) == len(transcripts(archive, said.opinion_id)) == 1
    with archive.database.read() as session:
        changes = session.scalars(select(Change).where(Change.record_id == said.opinion_id)).all()
    assert [change.act for change in changes] == ["created", "updated"]


def test_segments_are_heard_as_one_in_their_order(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav(2), a_wav(1), a_wav(3)])
    parrot = Parrot()
    transcribe_opinion(archive, said.opinion_id, lambda: parrot, clock)
    assert parrot.heard[0][0] == 6.6


@pytest.mark.parametrize(
    ("parrot", "problem"),
    [(Parrot(""), problems.SILENT), (Parrot("好像说了什么", 0.3), problems.UNSURE)],
)
def test_what_was_not_understood_still_counts_and_waits_for_an_ear(
    archive: Archive, community: Community, source: RecordingSource, parrot: Parrot, problem: str
) -> None:
    said = stored(archive, community, source, [a_wav()])
    assert transcribe_opinion(archive, said.opinion_id, lambda: parrot, clock)
    opinion = opinion_of(archive, said)
    assert (opinion.state, opinion.needs_listening, opinion.problem) == ("review", True, problem)
    assert len(transcripts(archive, said.opinion_id)) == 1


def test_a_broken_recording_is_kept_and_its_opinion_waits_for_an_ear(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [b"RIFF no sound at all"])
    with archive.database.read() as session:
        recording = session.get_one(Recording, said.recordings[0])
    assert recording.state == "broken"
    assert recording.problem
    assert recording.file is not None
    assert archive.recordings.exists(recording.file)
    assert transcribe_opinion(archive, said.opinion_id, Parrot, clock)
    opinion = opinion_of(archive, said)
    assert (opinion.state, opinion.needs_listening, opinion.problem) == ("review", True, problems.BROKEN)


def test_the_segments_that_can_be_read_are_read(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav(), b"broken"])
    assert transcribe_opinion(archive, said.opinion_id, Parrot, clock)
    opinion = opinion_of(archive, said)
    assert (opinion.needs_listening, opinion.problem) == (True, problems.BROKEN)
    assert transcripts(archive, said.opinion_id)[0].redacted == "小区门口的路灯坏了"


def test_without_a_recognizer_the_opinion_waits_longer_each_time(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav()])
    parrot = Parrot()
    parrot.fails = [SpeechError("the weights are missing", permanent=False)] * 2
    moments = []
    now = NOW
    for _ in range(2):
        with pytest.raises(SpeechError):
            transcribe_opinion(archive, said.opinion_id, lambda: parrot, lambda now=now: now)  # type: ignore[misc]
        opinion = opinion_of(archive, said)
        assert (opinion.state, opinion.problem) == ("waiting", problems.AWAY)
        assert opinion.next_try_at is not None
        moments.append(opinion.next_try_at - now)
        now = opinion.next_try_at
    assert moments == [timedelta(seconds=5), timedelta(seconds=15)]
    assert not transcribe_opinion(archive, said.opinion_id, lambda: parrot, clock)
    assert transcribe_opinion(archive, said.opinion_id, lambda: parrot, later)
    assert opinion_of(archive, said).tries == 0


def test_sound_that_the_recognizer_refuses_waits_for_an_ear(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav()])
    parrot = Parrot()
    parrot.fails = [SpeechError("too strange", permanent=True)]
    assert transcribe_opinion(archive, said.opinion_id, lambda: parrot, clock)
    assert opinion_of(archive, said).problem == problems.UNREADABLE


def test_a_name_that_another_reading_shows_is_not_published(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav()])
    text = "楼上期望又在吵架"
    assert redact(text).text == text
    parrot = Parrot(text, others=("楼上齐旺又在吵架",))
    assert transcribe_opinion(archive, said.opinion_id, lambda: parrot, clock)
    [only] = transcripts(archive, said.opinion_id)
    assert only.redacted == "楼上某某又在吵架"


def test_more_said_while_the_recognizer_worked_is_not_lost(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav(1)])

    class Slow(Parrot):
        def transcribe(self, audio, language="zh", hints=()):  # type: ignore[no-untyped-def]
            if not self.heard:
                add_segment(archive, said, source)
            return super().transcribe(audio, language, hints)

    slow = Slow()
    assert not transcribe_opinion(archive, said.opinion_id, lambda: slow, clock)
    assert opinion_of(archive, said).state == "waiting"
    assert transcribe_opinion(archive, said.opinion_id, lambda: slow, clock)
    assert [seconds for seconds, _, _ in slow.heard] == [1.0, 3.3]


def add_segment(archive: Archive, said: Said, source: RecordingSource) -> None:
    from sync.records.tables import OpinionRecording

    with archive.database.begin() as session:
        first = session.get_one(Recording, said.recordings[0])
        session.add(
            Recording(
                id="rec_more", community_id=first.community_id, person_id=first.person_id, sid="REmore",
                call_id=first.call_id, line="exchange", url=source.add("more", a_wav(2)), is_claimed=True,
                created_at=NOW,
            )
        )  # fmt: skip
        session.flush()
        session.add(OpinionRecording(opinion_id=said.opinion_id, part=1, recording_id="rec_more"))
    store_recording(archive, "rec_more", credentials, clock, pauses=())


def test_an_opinion_taken_back_while_the_recognizer_worked_stays_gone(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav()])

    class Interrupted(Parrot):
        def transcribe(self, audio, language="zh", hints=()):  # type: ignore[no-untyped-def]
            withdraw_opinion(archive, said.opinion_id, "st_1")
            return super().transcribe(audio, language, hints)

    assert not transcribe_opinion(archive, said.opinion_id, Interrupted, clock)
    assert opinion_of(archive, said).state == "withdrawn"
    assert transcripts(archive, said.opinion_id) == []


def test_a_person_erased_while_their_recording_travelled_leaves_no_sound(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add("RE0", a_wav())])
    settle_batch(archive, now=NOW)
    erase_person(archive, said.person_id, "st_1")
    store_recording(archive, said.recordings[0], credentials, clock, pauses=())
    assert list(archive.recordings.names()) == []
    assert source.recordings == {}, "the source forgets its copy too"
    assert not transcribe_opinion(archive, said.opinion_id, Parrot, clock)


def test_the_topic_and_the_community_name_the_likely_words(archive: Archive, community: Community) -> None:
    topic_id = a_topic(archive, community)
    with archive.database.begin() as session:
        session.add(
            Setting(
                community_id=community.id, name="vocabulary", value=["王家弄", "维修"], changed_at=NOW,
                changed_by="st_1",
            )
        )  # fmt: skip
    with archive.database.read() as session:
        assert hints_for(session, community.id, topic_id) == ("门口的路灯", "维修", "更换", "王家弄")
        assert hints_for(session, community.id, None) == ("王家弄", "维修")


def test_a_crash_after_the_lease_was_taken_only_delays(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav()])
    with archive.database.begin() as session:
        opinion = session.get_one(Opinion, said.opinion_id)
        opinion.held_by, opinion.next_try_at = "another-host/1/1", NOW + timedelta(seconds=60)
    assert not transcribe_opinion(archive, said.opinion_id, Parrot, clock)
    assert transcribe_opinion(archive, said.opinion_id, Parrot, later)


def test_sound_that_makes_workers_fail_is_left_to_people_in_the_end(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav()])
    parrot, now = Parrot(), NOW
    parrot.fails = [MemoryError()] * 100
    for _ in range(6):
        with pytest.raises(MemoryError):
            transcribe_opinion(archive, said.opinion_id, lambda: parrot, lambda now=now: now)  # type: ignore[misc]
        now += timedelta(hours=1)
    assert not transcribe_opinion(archive, said.opinion_id, lambda: parrot, lambda: now)
    opinion = opinion_of(archive, said)
    assert (opinion.state, opinion.problem) == ("review", problems.UNREADABLE)
    assert len(parrot.heard) == 6


def test_a_recognizer_that_is_away_for_days_is_waited_for(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = stored(archive, community, source, [a_wav()])
    parrot, now = Parrot(), NOW
    parrot.fails = [SpeechError("away", permanent=False)] * 20
    for _ in range(20):
        with pytest.raises(SpeechError):
            transcribe_opinion(archive, said.opinion_id, lambda: parrot, lambda now=now: now)  # type: ignore[misc]
        now += timedelta(hours=1)
    assert transcribe_opinion(archive, said.opinion_id, lambda: parrot, lambda: now)
    assert opinion_of(archive, said).problem is None


@pytest.mark.slow
def test_a_sentence_spoken_over_the_telephone_is_understood(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    from speech.audio import write_phone_wav
    from speech.channel import phone
    from speech.models import check, models_folder
    from speech.recognize import load_recognizer
    from speech.synthesize import FEMALE, load_synthesizer

    models = models_folder()
    if missing := check(models):
        pytest.skip(f"run `python -m speech.models` first: {missing[0]}")
    spoken = load_synthesizer("kokoro", models).say("小区里的垃圾没有人清理，味道很大。", "zh", FEMALE)
    said = stored(archive, community, source, [write_phone_wav(phone(spoken))])
    assert transcribe_opinion(
        archive, said.opinion_id, lambda: load_recognizer("faster-whisper", models), clock
    )
    opinion, [words] = opinion_of(archive, said), transcripts(archive, said.opinion_id)
    assert "没有人清理" in (words.redacted or "")
    assert opinion.state == "review"
    assert words.engine.startswith("faster-whisper")
    assert words.speech_seconds > 2
