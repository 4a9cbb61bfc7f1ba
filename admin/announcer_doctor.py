"""Whether the loudspeakers are looked after: the announcer at work, none of them silent without a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from admin.announcing import ALIVE_SECONDS, is_announcing
from admin.finding import Finding
from admin.parts import open_archive
from admin.settings import Settings
from sync.broadcasting import Unwell, unwell
from sync.records.tables import Community, Loudspeaker

_NAMED = 5


def look_at_loudspeakers(settings: Settings, is_running: bool) -> Iterator[Finding]:
    """The announcer, where there is anything to announce on; then every loudspeaker that is not well."""
    count, ill = _loudspeakers(settings)
    if not count:
        yield Finding("loudspeakers", True, "none")
        return
    if is_running:
        is_here = is_announcing(settings)
        says = "at work" if is_here else f"has not looked for {ALIVE_SECONDS:.0f} s"
        yield Finding("announcer", is_here, says, "start it: tingjian broadcast; see logs/broadcast.log")
    named = "、".join(f"{one.name} ({one.why})" for one in ill[:_NAMED])
    says = f"{count - len(ill)} of {count} well" + (f"; {named}" if ill else "")
    yield Finding("loudspeakers", not ill, says, "see to those, or pause them: tingjian speaker list")


def _loudspeakers(settings: Settings) -> tuple[int, Sequence[Unwell]]:
    """How many are in use, and those of them that are not well."""
    scheme, _, path = settings.database_url.partition(":///")
    if scheme == "sqlite" and not Path(path).exists():
        return 0, ()
    archive = open_archive(settings)
    try:
        if not archive.database.is_current():
            return 0, ()
        with archive.database.read() as session:
            count = session.scalar(
                select(func.count()).select_from(Loudspeaker).where(Loudspeaker.state == "active")
            )
            communities = session.scalars(select(Community.id)).all()
            ill = [one for each in communities for one in unwell(session, each, datetime.now(UTC))]
    finally:
        archive.close()
    return count or 0, ill
