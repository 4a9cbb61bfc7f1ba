"""Nothing a call can say is missing from what is rendered ahead: every call of a rich community is tried."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ivr.dialogue.answer import Flow, answer, begin
from ivr.dialogue.hotline import hotline
from ivr.dialogue.turns import (
    AskRecords,
    Dialled,
    DialPerson,
    EndCall,
    GatherKeys,
    Heard,
    Place,
    Pressed,
    Recorded,
    RecordSpeech,
    Silence,
    Started,
    Told,
    Turn,
)
from ivr.dialogue.view import CommunityView
from ivr.prompts.book import LANGUAGES, Book
from ivr.prompts.pieces import Spoken, pieces
from ivr.prompts.wanted import wanted
from ivr.view import community_view
from sync.archive import Archive
from sync.people import find_number
from sync.records.tables import Community
from tests.prompts.rich import CALLER, NOW, enrich

MOST_PLACES = 30_000
STAGES = ("received", "assigned", "answered", "settled", "reopened")


def answers_to(turn: Turn) -> Iterator[Heard]:
    """Everything that may be heard at a wait."""
    match turn.wait:
        case GatherKeys(count=1):
            yield Silence()
            yield from (Pressed(key) for key in "0123456789*#")
        case GatherKeys(count=count):
            yield from (Silence(), Pressed("*"), Pressed("12"), Pressed(""))
            yield from (Pressed(number[-count:]) for number in ("12345674", "22345673", "99999999"))
        case RecordSpeech():
            yield from (Recorded("rc_1", 0.2, "silence"), Recorded("rc_2", 20, "key"))
            yield from (Recorded("rc_3", 150, "limit"), Silence())
        case DialPerson():
            yield from (Dialled(True), Dialled(False))
        case AskRecords(question="standing_ballot"):
            yield Told("none")
            yield from (Told(branch, {"next_seat": seat}) for branch in ("voted", "full") for seat in "234")
        case AskRecords():
            yield from (Told("unknown"), Told("locked"))
            yield from (Told("other", {"stage": stage}) for stage in STAGES)
            told = {"opinion_id": "op_我一", "reply": "我一的答复。"}
            yield from (Told("own", {**told, "stage": stage}) for stage in STAGES)


LOCAL_FACTS = {
    "receipt": ("stage", "reply"),
    "own": ("mistyped",),
    "topic": ("replaces", "was_empty", "declined"),
}


def likeness(place: Place) -> object:
    """What of a place decides the words to come. Facts of another part of the call only multiply places."""
    local = LOCAL_FACTS.get(place.step.split(".")[0], ())
    known = {name: value for name, value in place.memory.items() if name.startswith(local) and local}
    known |= {"replaces": "yes"} if known.get("replaces") else {}
    return place.step, place.said, place.is_slow, min(place.tries, 2), frozenset(known.items())


def every_turn(flow: Flow) -> Iterator[Turn]:
    """Every turn that any caller can be given, breadth first."""
    waiting: list[Turn] = [answer(flow, begin(flow), Started())]
    seen = {likeness(waiting[0].place)}
    for turn in waiting:
        yield turn
        assert len(waiting) < MOST_PLACES
        for heard in answers_to(turn):
            after = answer(flow, replace(turn.place, back=turn.place.back[-2:]), heard)
            if isinstance(after.wait, EndCall) or likeness(after.place) in seen:
                yield after
            else:
                seen.add(likeness(after.place))
                waiting.append(after)


def clips_missed(view: CommunityView, book: Book, have: set[tuple[str, bool]]) -> set[tuple[str, bool]]:
    """What any turn of the hotline says and `have` lacks."""
    missed: set[tuple[str, bool]] = set()
    for turn in every_turn(hotline(view)):
        memory = {**turn.place.memory, "receipt": "12345674"}
        for line in turn.lines:
            said = (piece for piece in pieces(line, book, memory) if isinstance(piece, Spoken))
            missed |= {(piece.text, piece.is_slow) for piece in said} - have
    return missed


def view_of(archive: Archive, community: Community, is_known: bool) -> CommunityView:
    with archive.database.read() as session:
        number = find_number(session, archive, community.id, CALLER) if is_known else None
        return community_view(session, community, number, NOW)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("is_known", [True, False])
def test_every_clip_of_every_call_is_wanted(
    archive: Archive, community: Community, language: str, is_known: bool
) -> None:
    enrich(archive, community)
    book = Book.load(language)
    have = {(clip.text, clip.is_slow) for clip in wanted(archive, community.id, book, NOW)}
    view = view_of(archive, community, is_known)
    assert len(view.own) == (2 if is_known else 0)
    assert clips_missed(view, book, have) == set()


def test_a_call_that_resumes_and_an_empty_community_lack_nothing(
    archive: Archive, community: Community
) -> None:
    book = Book.load("zh")
    have = {(clip.text, clip.is_slow) for clip in wanted(archive, community.id, book, NOW)}
    bare = view_of(archive, community, False)
    assert not bare.topics
    only_in_this_test = {
        ("我一的答复。", False),
        ("我一的答复。", True),
    }  # no such reply in this community yet
    assert clips_missed(bare, book, have) <= only_in_this_test
    enrich(archive, community)
    have = {(clip.text, clip.is_slow) for clip in wanted(archive, community.id, book, NOW)}
    dropped = replace(
        view_of(archive, community, True), resume_step="topic.tp_电梯.record", is_first_call=True
    )
    assert clips_missed(dropped, book, have) == set()


def test_the_check_would_see_a_missing_clip(archive: Archive, community: Community) -> None:
    enrich(archive, community)
    book = Book.load("zh")
    have = {(clip.text, clip.is_slow) for clip in wanted(archive, community.id, book, NOW)}
    removed = {("我二的答复。", False), ("甲的话", True), ("幺", True), ("好，我慢慢说。", True)}
    assert clips_missed(view_of(archive, community, True), book, have - removed) == removed
