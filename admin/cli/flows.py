"""Commands that show and check the flow of a call."""

from __future__ import annotations

import click


@click.group()
def calls() -> None:
    """通话流程 · The flow of a call."""
