"""What staff set and do: commands, settings of a community and of the process, the doctor's look."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from admin.communities import typed_setting
from admin.doctor import examine
from admin.out_choice import base_of
from admin.parts import EXCHANGE_ACCOUNT, open_archive
from admin.placing import placer_of
from admin.settings import Settings, SettingsError
from sync.archive import Archive
from sync.community_settings import change_setting
from sync.placing.policy import change_placing, placing_of
from sync.placing.rules import NIGHT, NOON_REST
from sync.placing.wishes import wish_missed
from sync.records.tables import Audit, Community, PlacedCall
from tests.admin.test_commands import Shell
from tests.conftest import found_community
from tests.placing.world import COMMUNITY, ELDER

TWILIO = {"TINGJIAN_OUT_LINE": "twilio", "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "secret"}


def test_calls_are_listed_called_off_and_hurried_by_id(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    archive = open_archive(shell.settings())
    archive.database.create()
    found_community(archive)
    assert "no calls are to be placed" in shell.type("placed", "list").output
    now = datetime.now(UTC)
    with archive.database.begin() as session:
        assert wish_missed(session, archive, COMMUNITY, ELDER, "twilio/CA1", now)
        assert wish_missed(session, archive, COMMUNITY, "+8613800138001", "twilio/CA2", now)
        one, other = session.scalars(select(PlacedCall).order_by(PlacedCall.about)).all()
        one.next_try_at = now + timedelta(hours=5)
    listed = shell.type("placed", "list").output
    assert one.id in listed
    assert "13800138" not in listed
    assert shell.type("placed", "try", one.id).exit_code == 0
    assert shell.type("placed", "cancel", other.id).exit_code == 0
    assert other.id not in shell.type("placed", "list").output
    assert "called_off" in shell.type("placed", "list", "--all").output
    for again in ("cancel", "try"):
        refused = shell.type("placed", again, other.id)
        assert (refused.exit_code, "Traceback" in refused.output) == (1, False)
    assert shell.type("placed", "try", "pc_none").exit_code == 1
    with archive.database.read() as session:
        assert session.get_one(PlacedCall, one.id).next_try_at < now + timedelta(minutes=1)
        acts = set(session.scalars(select(Audit.act).where(Audit.actor == "command line")))
    assert acts == {"placed_call_hurried", "placed_call_canceled"}
    archive.close()


def test_a_communitys_settings_are_typed_checked_and_audited(archive: Archive, community: Community) -> None:
    typed = {
        "missed_calls": "always", "reply_calls": "on", "request_calls": "off", "call_tries": "3",
        "quiet_hours": "12:30-14:00，21:00-08:00", "call_prefixes": "+86, +852", "calls_a_day": "40",
    }  # fmt: skip
    with archive.database.begin() as session:
        for name, text in typed.items():
            change_placing(session, COMMUNITY, name, typed_setting(name, text), "staff_1")
    with archive.database.read() as session:
        placing = placing_of(session, COMMUNITY)
        audited = session.scalars(select(Audit.subject).where(Audit.act == "setting_changed")).all()
    assert (placing.missed_calls, placing.reply_calls, placing.request_calls) == ("always", True, False)
    assert (placing.policy.most_tries, placing.policy.most_a_day) == (3, 40)
    assert placing.policy.prefixes == ("+86", "+852")
    assert [str(one)[:5] for span in placing.policy.quiet for one in span] == [
        "12:30",
        "14:00",
        "21:00",
        "08:00",
    ]
    assert set(audited) == set(typed)
    assert typed_setting("quiet_hours", "none") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("missed_calls", "sometimes"), ("reply_calls", "maybe"), ("call_tries", "9"), ("calls_a_number", "0"),
        ("quiet_hours", "00:00-12:00, 12:00-00:00"), ("quiet_hours", "noon"), ("quiet_hours", "12:00"),
        ("call_prefixes", "86"), ("call_prefixes", "+"), ("calls_a_day", "many"),
    ],
)  # fmt: skip
def test_a_senseless_setting_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError):
        typed_setting(name, text)


def test_a_setting_that_was_spoilt_leaves_the_careful_default(archive: Archive, community: Community) -> None:
    with archive.database.begin() as session:
        change_setting(session, COMMUNITY, "quiet_hours", [["25:00", "26:00"]], "somebody")
        change_setting(session, COMMUNITY, "missed_calls", True, "somebody")
    with archive.database.read() as session:
        placing = placing_of(session, COMMUNITY)
    assert (placing.policy.quiet, placing.missed_calls) == ((NOON_REST, NIGHT), "off")


def test_the_line_that_dials_out_is_chosen_from_the_environment(archive: Archive, tmp_path: Path) -> None:
    none = Settings.from_environment({"TINGJIAN_HOME": str(tmp_path)})
    assert none.out is None
    ours = Settings.from_environment({"TINGJIAN_HOME": str(tmp_path), "TINGJIAN_OUT_LINE": "exchange"})
    assert ours.out is not None
    line = placer_of(ours, ours.out, archive).door.line
    assert (line.name, line.account, line.base) == ("exchange", EXCHANGE_ACCOUNT, ours.exchange_url)
    theirs = Settings.from_environment({**TWILIO, "TINGJIAN_OUT_URL": "https://api.ireland.example/"})
    assert theirs.out is not None
    assert base_of(theirs.out, theirs.exchange_url) == "https://api.ireland.example"
    assert Settings.from_environment(theirs.to_environment()).out == theirs.out
    assert "secret" not in repr(placer_of(theirs, theirs.out, archive).door.line)


@pytest.mark.parametrize(
    "given",
    [
        {"TINGJIAN_OUT_LINE": "pigeon"},
        {"TINGJIAN_OUT_LINE": "twilio"},
        {**TWILIO, "TINGJIAN_OUT_URL": "api.example.org"},
        {**TWILIO, "TINGJIAN_OUT_NUMBER": "the town hall"},
        {**TWILIO, "TINGJIAN_OUT_CALLS_A_DAY": "-1"},
    ],
)
def test_a_line_set_wrongly_is_named(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="TINGJIAN_OUT"):
        Settings.from_environment(given)


def test_the_doctor_tells_when_calls_are_wanted_that_no_line_can_place(tmp_path: Path) -> None:
    home = {"TINGJIAN_HOME": str(tmp_path), "TINGJIAN_MODELS": str(tmp_path)}
    archive = open_archive(Settings.from_environment(home))
    archive.database.create()
    found_community(archive)
    exchange = {"TINGJIAN_OUT_LINE": "exchange"}
    looks = [{}, exchange, {**exchange, "TINGJIAN_SIP_OUT": "10.0.0.1"}, TWILIO]
    assert [_is_well(home | look) for look in looks] == [True] * 4
    with archive.database.begin() as session:
        change_placing(session, COMMUNITY, "missed_calls", "canceled", "test")
    assert [_is_well(home | look) for look in looks] == [False, False, True, True]
    with archive.database.begin() as session:
        change_placing(session, COMMUNITY, "missed_calls", "off", "test")
        change_placing(session, COMMUNITY, "reply_calls", True, "test")
    assert [_is_well(home | look) for look in looks[:2]] == [False, False]
    archive.close()


def _is_well(given: dict[str, str]) -> bool:
    found = [
        one for one in examine(Settings.from_environment(given), False) if one.matter == "calls we place"
    ]
    assert len(found) == 1, json.dumps(given)
    assert found[0].is_ok or "TINGJIAN_OUT_LINE" in found[0].remedy
    return found[0].is_ok
