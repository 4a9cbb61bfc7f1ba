"""Platforms from the command line: keys, webhooks added, tested and resumed; changes pulled as lines."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from admin.cli.webhooks import PROBLEMS
from admin.doctor import examine
from admin.parts import open_archive
from sync.client import verify_webhook
from sync.platforms import platform_with
from sync.records.tables import Audit, Endpoint
from tests.admin.test_commands import Shell
from tests.sync.served_api import Served, served
from tests.sync.test_feed import opinion
from tests.sync.village import Village
from tests.sync.webhook_receiver import Receiver, receiver

__all__ = ["receiver", "served"]

SCOPES = ("--scope", "changes:read", "--scope", "feedback:read")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path, TINGJIAN_WEBHOOKS_TO="127.0.0.0/8")
    assert shell.type("community", "add", "青溪社区", "0571 1234 5678").exit_code == 0
    assert shell.type("platforms", "add", "桃源线上", *SCOPES).exit_code == 0
    return shell


def added(shell: Shell, url: str, *more: str) -> tuple[str, str]:
    """The id and the secret of a new endpoint."""
    told = shell.type("platforms", "webhook", "add", "桃源线上", url, *more)
    assert told.exit_code == 0, told.output
    found = re.search(r"we_[0-9a-f]{32}", told.output)
    assert found is not None
    return found[0], told.output.split()[-1]


def test_an_endpoint_is_added_tested_and_its_secret_exchanged(shell: Shell, receiver: Receiver) -> None:
    endpoint_id, secret = added(shell, f"{receiver.base}/hook", "--type", "cn.tingjian.reply.created")
    assert shell.type("platforms", "webhook", "test", endpoint_id).exit_code == 0
    came = receiver.received[0]
    assert verify_webhook(came.headers, came.body, [secret]).type == "cn.tingjian.webhook.tested"
    new = shell.type("platforms", "webhook", "rotate", endpoint_id).output.split()[-1]
    assert new != secret
    receiver.moods = [503]
    refused = shell.type("platforms", "webhook", "test", endpoint_id)
    assert refused.exit_code == 1
    assert "503" in refused.output
    for good in (secret, new):
        verify_webhook(receiver.received[1].headers, receiver.received[1].body, [good])
    listed = shell.type("platforms", "webhook", "list").output
    assert all(part in listed for part in (endpoint_id, "桃源线上", receiver.base, "reply.created", "active"))
    log = shell.type("platforms", "webhook", "log", endpoint_id).output.splitlines()
    assert ["503" in line for line in log] == [True, False]


def test_where_a_webhook_may_not_go_is_said_in_both_languages(shell: Shell, receiver: Receiver) -> None:
    for url in ("https://10.0.0.1/", "http://nobody.invalid/", "ftp://x/", "http://169.254.169.254/latest"):
        told = shell.type("platforms", "webhook", "add", "桃源线上", url)
        assert told.exit_code == 1
        assert any(words in told.output for words in PROBLEMS.values()), told.output
    assert shell.type("platforms", "webhook", "add", "别的", receiver.base).exit_code == 1
    assert shell.type("platforms", "webhook", "test", "we_none").exit_code == 1
    nowhere = Shell(shell.settings().home).type("platforms", "webhook", "add", "桃源线上", receiver.base)
    assert "TINGJIAN_WEBHOOKS_TO" in nowhere.output


def test_a_dead_endpoint_is_told_to_the_operator_until_it_is_resumed(
    shell: Shell, receiver: Receiver
) -> None:
    endpoint_id, _ = added(shell, receiver.base)
    assert webhooks_are_well(shell)
    archive = open_archive(shell.settings())
    with archive.database.begin() as session:
        endpoint = session.get_one(Endpoint, endpoint_id)
        endpoint.state, endpoint.problem, endpoint.tries = "paused", "refused 503", 11
        endpoint.failing_since = datetime(2026, 5, 1, tzinfo=UTC)
    listed = shell.type("platforms", "webhook", "list").output
    assert all(part in listed for part in ("已暂停", "没有收下", "503", "2026-0", "11 次"))
    assert not webhooks_are_well(shell)
    assert shell.type("platforms", "webhook", "resume", endpoint_id).exit_code == 0
    assert webhooks_are_well(shell)
    assert shell.type("platforms", "webhook", "pause", endpoint_id).exit_code == 0
    assert not webhooks_are_well(shell)
    assert shell.type("platforms", "webhook", "remove", endpoint_id).exit_code == 0
    assert webhooks_are_well(shell)
    with archive.database.read() as session:
        acts = [one.act for one in session.query(Audit).order_by(Audit.id) if one.subject == endpoint_id]
    assert acts == ["webhook_added", "webhook_resumed", "webhook_paused", "webhook_removed"]
    archive.close()


def webhooks_are_well(shell: Shell) -> bool:
    (found,) = [one for one in examine(shell.settings()) if one.matter == "webhooks"]
    assert found.is_ok or "tingjian platforms webhook list" in found.remedy
    return found.is_ok


def test_pull_prints_changes_as_lines_and_remembers_where_it_stopped(
    tmp_path: Path, served: Served, shell: Shell
) -> None:
    (tmp_path / "key").write_text(f"{served.key}\n")
    words = (
        "pull", "--base", served.base, "--key-file", str(tmp_path / "key"),
        "--checkpoint", str(tmp_path / "checkpoint"),
    )  # fmt: skip
    first = shell.type(*words)
    assert first.exit_code == 0, first.output
    assert [json.loads(line)["type"] for line in first.output.splitlines()] == ["cn.tingjian.feed.resync"]
    speak(served)
    (line,) = shell.type(*words).output.splitlines()
    event = json.loads(line)
    assert (event["specversion"], event["subject"]) == ("1.0", "op_1")
    assert "路灯" in line
    assert shell.type(*words).output == ""
    (tmp_path / "key").write_text("tjk_wrong\n")
    refused = shell.type(*words)
    assert refused.exit_code == 1
    assert "401" in refused.output


def speak(served: Served) -> None:
    """One opinion in the archive that is served."""
    opinion(served.archive, "op_1", Village(served.archive).person())


def test_a_platform_is_listed_gets_another_key_and_is_ended(shell: Shell) -> None:
    first = shell.type("platforms", "add", "短期", "--scope", "topics:read", "--days", "30").output.split()[
        -1
    ]
    listed = shell.type("platforms", "list").output
    assert all(part in listed for part in ("桃源线上", "短期", "青溪社区", "topics:read", "until 20"))
    second = shell.type("platforms", "key", "短期").output.split()[-1]
    archive = open_archive(shell.settings())
    now = datetime.now(UTC)
    with archive.database.read() as session:
        assert platform_with(session, first, now) is None
        assert platform_with(session, second, now + timedelta(days=29)) is not None
        assert platform_with(session, second, now + timedelta(days=31)) is None
    assert shell.type("platforms", "end", "短期").exit_code == 0
    with archive.database.read() as session:
        assert platform_with(session, second, datetime.now(UTC)) is None
        acts = [one.act for one in session.query(Audit).order_by(Audit.id) if one.act.startswith("platform.")]
    archive.close()
    assert acts == ["platform.added", "platform.added", "platform.key_exchanged", "platform.ended"]
    assert "已停用" in shell.type("platforms", "list").output
    assert "changes:read" in shell.type("platforms", "scopes").output
    assert shell.type("platforms", "end", "没有的").exit_code == 1
