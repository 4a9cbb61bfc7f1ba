"""Staff word for the phone what a platform brought: two commands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from admin.parts import open_archive
from sync.changes import Cursor, after
from sync.platforms import add_platform
from sync.records.tables import Audit, Community, ProgressUpdate, Topic
from tests.admin.test_commands import Shell

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A home with a topic and a progress update that a platform brought without spoken words."""
    shell = Shell(tmp_path)
    assert shell.type("community", "add", "青溪社区", "0571 1234 5678").exit_code == 0
    archive = open_archive(shell.settings())
    with archive.database.begin() as session:
        here = session.scalars(select(Community.id)).one()
        platform, _ = add_platform(session, here, "online", ["topics:write"])
        session.add(
            Topic(
                id="tp_1", community_id=here, owner=platform.id, title="很长的标题", text="很长的说明",
                state="open", created_at=NOW,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            ProgressUpdate(
                id="pu_1", topic_id="tp_1", community_id=here, stage="采购", spoken="", text="已经下单。",
                published_at=NOW, published_by=platform.id,
            )
        )  # fmt: skip
    archive.close()
    return shell


def test_what_waits_for_wording_is_listed_until_it_is_worded(shell: Shell) -> None:
    listed = shell.type("topics", "list").output
    assert listed.count("等待口语稿 / waiting for wording") == 2
    worded = shell.type("topics", "word", "tp_1", "--title", "快递柜", "--background", "放在哪里好？")
    assert worded.exit_code == 0, worded.output
    assert shell.type("topics", "word-progress", "pu_1", "--spoken", "柜子已经买了。").exit_code == 0
    assert "等待口语稿" not in shell.type("topics", "list").output
    archive = open_archive(shell.settings())
    with archive.database.read() as session:
        topic = session.get_one(Topic, "tp_1")
        assert (topic.spoken_title, topic.spoken_background) == ("快递柜", "放在哪里好？")
        acts = set(session.scalars(select(Audit.act).where(Audit.actor == "command line")))
        assert {"topic.worded", "progress.worded"} <= acts
        changed = {(one.record, one.act) for one in after(session, topic.community_id, Cursor())}
        assert {("topic", "updated"), ("progress", "updated")} <= changed
    archive.close()


def test_too_many_words_and_unknown_topics_are_refused_kindly(shell: Shell) -> None:
    for words in (
        ("word", "tp_1", "--title", "字" * 21, "--background", "好"),
        ("word", "tp_1", "--title", "好", "--background", "字" * 121),
        ("word", "tp_none", "--title", "好", "--background", "好"),
        ("word-progress", "pu_1", "--spoken", " "),
    ):
        told = shell.type("topics", *words)
        assert told.exit_code == 1
        assert "没有这一条" in told.output
        assert "Traceback" not in told.output
    assert shell.type("topics", "list").output.count("waiting for wording") == 2
