"""The command that works off the queues. It makes room before it imports anything that starts threads."""

from __future__ import annotations

from collections.abc import Sequence

import click

from admin.settings import Settings, SettingsError
from admin.supervised import end_with_supervisor
from sync.making_room import NICENESS, make_room
from sync.queue import QUEUES


@click.command()
@click.option(
    "--queue",
    "queues",
    multiple=True,
    type=click.Choice(QUEUES),
    default=QUEUES,
    help="哪些队列 · which queues",
)
def worker(queues: tuple[str, ...]) -> None:
    """后台工作：取录音、识别、合并、合成提示音。

    Work off the queues: fetch recordings, recognise words, merge, render prompts.
    """
    make_room(_niceness())
    end_with_supervisor()
    _work(queues)


def _niceness() -> int:
    try:
        return Settings.from_environment().worker_niceness
    except SettingsError:
        return NICENESS  # what is wrong is told when all is read


def _work(queues: Sequence[str]) -> None:
    from admin.cli.terms import kindly, read_settings
    from admin.work import work

    kindly(work)(read_settings(), queues)
