"""The command that runs the announcer."""

from __future__ import annotations

import click

from admin.cli.terms import kindly, read_settings
from admin.supervised import end_with_supervisor


@click.command()
@kindly
def broadcast() -> None:
    """播报员：到点把批准了的节目交给喇叭，记下每只喇叭放了没有。

    Run the announcer: it hands approved programmes to the loudspeakers when they are due, and writes down
    what each of them played.
    """
    from admin.announcing import announce

    end_with_supervisor()
    announce(read_settings())
