"""Commands about topics: what is discussed, which of it waits for wording, the words the phone reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from sqlalchemy import select

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from admin.settings import Settings
from sync.errors import RecordsError
from sync.queue import WorkQueue
from sync.records.tables import Topic
from sync.wording import LONGEST_SPOKEN, LONGEST_TITLE, is_worded, waiting, word_topic, word_update

_ACTOR = "command line"
_WAITS = "等待口语稿 / waiting for wording"
which = click.option("--community", "asked", help="社区名称 · which community, where there are several")


@click.group()
def topics() -> None:
    """议题 · Topics: list them, and word for the phone what platforms brought."""


@topics.command("list")
@which
@kindly
def list_topics(asked: str | None) -> None:
    """列出议题；平台送来而没有口语稿的，电话里还听不到。

    List the topics. What a platform brought without spoken words is not heard on the phone yet.
    """
    with opened(read_settings()) as archive, archive.database.read() as session:
        chosen = pick_community(session, asked).id
        for topic in session.scalars(
            select(Topic).where(Topic.community_id == chosen).order_by(Topic.created_at, Topic.id)
        ):
            mark = "" if is_worded(topic) else f"  {_WAITS}"
            click.echo(f"{topic.id}  {topic.state}  {topic.owner}  {topic.title}{mark}")
        for update in waiting(session, chosen).updates:
            click.echo(f"{update.id}  {update.stage}  {update.published_by}  {update.text[:40]}  {_WAITS}")


@topics.command("word")
@click.argument("topic")
@click.option("--title", required=True, help=f"至多 {LONGEST_TITLE} 字 · characters")
@click.option("--background", required=True, help=f"至多 {LONGEST_SPOKEN} 字 · characters")
@which
@kindly
def word(topic: str, title: str, background: str, asked: str | None) -> None:
    """为议题 TOPIC 写口语稿：电话里念的标题和背景。

    Word a TOPIC for the phone: the title and the background it reads aloud. Audited; heard at once.
    """
    settings = read_settings()
    with opened(settings) as archive, archive.database.begin() as session:
        chosen, now = pick_community(session, asked).id, datetime.now(UTC)
        with _told():
            word_topic(session, chosen, topic, title, background, _ACTOR, now)
    _render(settings, chosen)
    done("已写好，电话里听得到了", "worded; the phone reads it from now on")


@topics.command("word-progress")
@click.argument("update")
@click.option("--spoken", required=True, help=f"至多 {LONGEST_SPOKEN} 字 · characters")
@which
@kindly
def word_progress(update: str, spoken: str, asked: str | None) -> None:
    """为进展 UPDATE 写口语稿：电话里念的一句话。

    Word a progress UPDATE for the phone: the one sentence it reads aloud. Audited; heard at once.
    """
    settings = read_settings()
    with opened(settings) as archive, archive.database.begin() as session:
        chosen = pick_community(session, asked).id
        with _told():
            word_update(session, chosen, update, spoken, _ACTOR, datetime.now(UTC))
    _render(settings, chosen)
    done("已写好，电话里听得到了", "worded; the phone reads it from now on")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except RecordsError as error:
        raise click.ClickException(f"没有这一条，或字数不对 · {error}") from error


def _render(settings: Settings, community_id: str) -> None:
    """Without Redis the prompts worker finds it by itself, a little later."""
    WorkQueue(settings.redis_url).put("render", community_id=community_id)
