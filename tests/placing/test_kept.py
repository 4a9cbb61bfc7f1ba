"""What stays of the calls we place: nothing of the erased, nothing too old; a restore calls nobody again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from ivr.outbound.placer import look
from sync.archive import Archive
from sync.backup import backup, restore
from sync.erase import erase_person
from sync.records.tables import Audit, PlacedCall, PlacedTry, Request
from sync.retention import expire
from tests.placing.world import ELDER, World
from tests.web.platform import BASE


def test_an_erased_person_is_not_called_and_their_calls_lead_to_no_number(world: World) -> None:
    world.set(missed_calls="canceled", reply_calls=True)
    world.rings_once()
    (order,) = world.look()
    world.clock.pass_by(seconds=1)
    world.replies(world.speaks())
    world.placer.gather()
    erase_person(world.archive, world.placed()[0].person_id, "test")
    assert {one.number_id for one in world.placed()} == {None}
    assert world.states() == ["canceled", "canceled"]
    answered = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")
    assert answered.waits == "Hangup"
    world.api.tell(answered, order, "completed")
    assert world.states() == ["canceled", "canceled"]
    assert world.look(times=4, seconds=3000) == []


def test_what_is_older_than_the_community_keeps_things_is_deleted(world: World) -> None:
    world.set(missed_calls="canceled")
    world.change("keep_months", 1)
    world.rings_once()
    (order,) = world.look()
    world.api.play(world.client, order, end="busy")
    assert expire(world.archive, world.clock()) == 0
    assert len(world.placed()) == len(world.tries()) == 1
    while expire(world.archive, world.clock() + timedelta(days=40)):
        pass
    assert world.placed() == world.tries() == []  # type: ignore[comparison-overlap]


def test_a_restore_calls_nobody_for_what_was_wished_before_it(world: World, tmp_path: Path) -> None:
    """Who was called after the backup was made would be called again."""
    world.set(missed_calls="canceled", reply_calls=True)
    world.replies(world.speaks())  # its call is not even wished for yet
    world.caller(account="TJexchange", handset="sip", number="+8613800138009").begin().end("busy")
    world.settle()
    world.rings_once("+8613800138008")
    backup(world.archive, tmp_path, tmp_path / "copy.tar")
    home = tmp_path / "elsewhere"
    restore(tmp_path / "copy.tar", f"sqlite:///{home}/records.db", home)
    world.archive.close()
    world.archive = Archive.open(f"sqlite:///{home}/records.db", home)
    for _ in range(4):
        world.clock.pass_by(minutes=1)
        look(world.placer)
    assert world.api.calls == []
    assert {(one.reason, one.state, one.problem) for one in world.placed()} == {
        (reason, "canceled", "restored") for reason in ("missed", "reply", "request")
    }
    with world.archive.database.read() as session:
        assert session.scalars(select(Request)).one().settled_at is None  # the desk still sees it


def test_audits_and_rows_hold_ids_and_no_numbers(world: World) -> None:
    world.set(missed_calls="canceled")
    phone = world.rings_once()
    (order,) = world.look()
    world.api.play(world.client, order, keys="1")
    with world.archive.database.read() as session:
        audits = session.scalars(select(Audit).where(Audit.actor == "placer")).all()
        rows = [*session.scalars(select(PlacedCall)), *session.scalars(select(PlacedTry)), *audits]
        told = " ".join(str(vars(row)) for row in rows)
    assert [(one.act, one.reason) for one in audits] == [("call_placed", "missed")]
    assert ELDER[-8:] not in told
    assert f"twilio/{phone.sid}" in told
    assert BASE not in told
