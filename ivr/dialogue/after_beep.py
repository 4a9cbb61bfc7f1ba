"""What was said after the beep: kept as it ends, joined from segments, asked for again when nothing came."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue.keeps import DropOpinion, Keep, KeepConsent, KeepOpinion
from ivr.dialogue.steps import Flow, Record
from ivr.dialogue.turns import EndCall, Heard, Place, Recorded, RecordSpeech, Turn
from ivr.dialogue.walking import fresh, go

MOST_SEGMENTS = 12  # half an hour: a television left on must not record all night
SHORTEST_SPEECH_SECONDS = 1.0  # what ends sooner is a slip of the finger


def after_beep(flow: Flow, place: Place, step: Record, heard: Heard) -> Turn:
    """The turn after a segment of speech, or after none."""
    if isinstance(heard, Recorded):
        is_gone = heard.ended_by == "hangup"
        is_unmeasured = is_gone and not heard.seconds  # a line that died may not say how long it heard
        if heard.seconds >= SHORTEST_SPEECH_SECONDS or is_unmeasured:
            return _kept(flow, place, step, heard)
        if is_gone:
            return Turn(
                (), EndCall(), replace(place, step=step.then) if place.memory.get("recordings") else place
            )
    if place.memory.get("recordings"):
        return go(flow, fresh(place), step.then)
    return go(flow, fresh(place), step.nothing)


def _kept(flow: Flow, place: Place, step: Record, heard: Recorded) -> Turn:
    memory = dict(place.memory)
    keeps: list[Keep] = []
    earlier = tuple(memory.get("recordings", "").split())
    if not earlier:
        count = int(memory.get("opinions", "0")) + 1
        memory |= {"opinions": str(count), "key": f"{step.key}.{count}"}
        if replaced := memory.pop("replaces", ""):
            keeps.append(DropOpinion(replaced))
        if not memory.get("consent"):
            memory["consent"] = "spoke_after_notice"
            keeps.append(KeepConsent("spoke_after_notice", step.notice_version))
    recordings = (*earlier, heard.recording_id)
    memory["recordings"] = " ".join(recordings)
    keeps.append(KeepOpinion(memory["key"], recordings, step.topic_id, step.kind))
    here = replace(fresh(place), memory=memory)
    if heard.ended_by == "hangup":
        return Turn((), EndCall(), replace(here, step=step.then), tuple(keeps))
    if heard.ended_by == "limit" and len(recordings) < MOST_SEGMENTS:
        return Turn((), RecordSpeech(is_continued=True), here, tuple(keeps))
    return go(flow, here, step.then, keeps=tuple(keeps))


def stray_recording(place: Place, heard: Heard) -> tuple[Keep, ...]:
    """A recording that comes where none is waited for is kept all the same: as a message."""
    match heard:
        case Recorded(recording_id) if recording_id not in place.memory.get("recordings", "").split():
            return (KeepOpinion(recording_id, (recording_id,), kind="message"),)
    return ()
