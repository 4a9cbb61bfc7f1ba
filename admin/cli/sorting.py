"""Commands about categories: what they are, learning them from the desk, going back."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from sync.acting import Actor
from sync.records.tables import Learned

_COMMUNITY = click.option("--community", "asked", help="社区名称 · which community")


@click.group()
def categories() -> None:
    """意见的类别：词表和学来的 · What opinions are sorted by: word lists, and what was learnt."""


@categories.command("list")
@_COMMUNITY
@kindly
def list_categories(asked: str | None) -> None:
    """一个社区用哪些类别，各属于七大类的哪一类。

    The categories of a community, and the class of each among the seven of citizens' messages.
    """
    from speech.taxonomy import class_of
    from sync.sorting import labels_of

    with opened(read_settings()) as archive, archive.database.read() as session:
        for label in labels_of(session, pick_community(session, asked).id):
            click.echo(f"{label}\t{class_of(label) or '–'}")


@categories.command("show")
@_COMMUNITY
@kindly
def show_models(asked: str | None) -> None:
    """学过几次，各考得怎样，现在用哪一次的。

    What was learnt so far, how each model did on opinions it had not seen, and which one is in use.
    """
    from sync.sorting import models

    with opened(read_settings()) as archive, archive.database.read() as session:
        found = models(session, pick_community(session, asked).id)
        for one in found:
            click.echo(_line(one))
    if not found:
        done("还没有学过，只照词表归类", "nothing learnt yet: the word lists alone")


@categories.command("learn")
@_COMMUNITY
@kindly
def learn_categories(asked: str | None) -> None:
    """现在就学一次；没有更好就不用。

    Learn now from what staff have confirmed; what is no better is not used.
    """
    from sync.teaching import teach

    with opened(read_settings()) as archive:
        with archive.database.read() as session:
            community_id = pick_community(session, asked).id
        row = teach(archive, community_id, datetime.now(UTC))
        if row is None:
            done("可学的还不够，或者刚有改动", "too little to learn from, or somebody was changing it")
        else:
            click.echo(_line(row))


@categories.command("back")
@click.argument("model_id", default="")
@_COMMUNITY
@kindly
def back(model_id: str, asked: str | None) -> None:
    """换回以前学的一次（编号见 show）；不写编号：只照词表。

    Use an earlier model again (its id from `show`); without an id the word lists alone.
    """
    from sync.sorting import go_back

    with opened(read_settings()) as archive, archive.database.begin() as session:
        community_id = pick_community(session, asked).id
        go_back(session, Actor("command", community_id), model_id, datetime.now(UTC))
    done("已换回，从下一条意见起", "changed, from the next opinion on")


def _line(one: Learned) -> str:
    before = "" if one.right_before is None else f", {one.right_before} by the one before"
    return (
        f"{one.id} {one.made_at:%Y-%m-%d %H:%M} {one.state}: {one.examples} examples, right {one.right} of "
        f"{one.held} ({one.right_lists} by the lists{before}; p={one.chance:.3f}), {one.kilobytes} KiB"
    )
