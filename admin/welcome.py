"""What `tingjian run` prints once a call can be taken: where everything is, and how to get in."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from sqlalchemy import select

from admin.card import spoken_groups
from admin.demo.seed import Account
from admin.settings import Settings
from sync.archive import Archive
from sync.records.tables import Community


def welcome(out: Console, settings: Settings, archive: Archive, account: Account | None) -> None:
    """Print the addresses. The demo account is shown because its records are made up."""
    base = settings.public_base
    rows = [
        ("浏览器电话 · browser phone", f"{base}/phone"),
        ("终端电话 · terminal phone", "tingjian phone"),
        ("电话线路 · telephone line", _line(settings)),
        ("工作台 · staff page", f"{base}/desk/"),
        ("接口 · API", f"{base}/api/v1/feedback"),
    ]
    if account is not None:
        rows[3:4] = [(rows[3][0], f"{rows[3][1]}   {account.name} / {account.password}")]
        rows.append(("", f'curl -H "Authorization: Bearer {account.api_key}" {base}/api/v1/feedback'))
    with archive.database.read() as session:
        for community in session.scalars(select(Community).order_by(Community.created_at)):
            rows.append((community.name, spoken_groups(community.dialled_number)))
    table = Table.grid(padding=(0, 2))
    for what, where in rows:
        table.add_row(what, where)
    if not out.is_terminal:
        for what, where in rows:
            out.print(f"{what}  {where}".strip(), soft_wrap=True)
        return
    out.print(Panel(table, title="听见 · Tingjian", subtitle="Ctrl-C 停止 · stops everything", expand=False))


def _line(settings: Settings) -> str:
    line = settings.line
    return f"sip:{line.host}:{line.port}" if line else "off"
