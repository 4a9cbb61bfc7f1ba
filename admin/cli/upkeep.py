"""Commands that look after an installation: doctor, migrate, backup, restore, settings."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from admin.cli.terms import done, kindly, opened, read_settings
from admin.parts import open_archive
from admin.settings import VARIABLES

passphrase_option = click.option(
    "--passphrase",
    envvar="TINGJIAN_BACKUP_PASSPHRASE",
    prompt="口令 · passphrase",
    prompt_required=False,
    hide_input=True,
    help="密钥的口令 · seals the keys in the file",
)


@click.command()
def doctor() -> None:
    """检查缺什么、哪里配错；有问题时以 1 退出。

    Say what is missing or misconfigured, and what to do about it. Exits with 1 where something is.
    """
    from admin.doctor import examine

    problems = 0
    for finding in examine(read_settings()):
        problems += not finding.is_ok
        click.echo(f"{'ok     ' if finding.is_ok else 'problem'}  {finding.matter:<15} {finding.says}")
        if not finding.is_ok and finding.remedy:
            click.echo(f"         → {finding.remedy}")
    done(*(("一切正常", "all is well") if not problems else (f"{problems} 个问题", f"{problems} problem(s)")))
    sys.exit(1 if problems else 0)


@click.command()
@click.argument("process", type=click.Choice(["web", "worker", "exchange", "line", "placer", "broadcast"]))
def health(process: str) -> None:
    """这台机器上的一个进程是否在干活；不在时以 1 退出。

    Whether PROCESS of this machine does its work; exits with 1 where it does not.
    """
    from admin.health import is_well

    if not is_well(read_settings(), process):
        raise click.ClickException(f"{process} 没有回应 · {process} does not answer")
    click.echo("ok")


@click.command()
@kindly
def migrate() -> None:
    """建立数据表，或更新到这个版本。

    Make the tables, or bring them to this version. Safe to repeat.
    """
    with opened(read_settings()):
        done("数据表已是最新", "the tables are up to date")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@passphrase_option
@kindly
def backup(file: Path, passphrase: str | None) -> None:
    """把记录、录音和密钥存进一个文件。

    Put records, recordings and keys into one FILE (.tar). With --passphrase the keys are sealed in it;
    without, the file is worth as much as all it holds.
    """
    from sync.backup import backup as write

    settings = read_settings()
    archive = open_archive(settings)
    try:
        made = write(archive, settings.home, file, passphrase)
    finally:
        archive.close()
    rows = sum(made.tables.values())
    done(
        f"已备份 {rows} 行、{made.recordings} 段录音",
        f"{rows} rows and {made.recordings} recordings in {file}",
    )
    if made.missing:
        done(f"{len(made.missing)} 段录音不在库里", f"{len(made.missing)} recordings were not in the store")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@passphrase_option
@kindly
def restore(file: Path, passphrase: str | None) -> None:
    """从备份恢复到一个空的安装。

    Restore FILE into an empty installation (TINGJIAN_HOME, DATABASE_URL).
    """
    from sync.backup import restore as read

    settings = read_settings()
    made = read(file, settings.database_url, settings.home, passphrase)
    done(f"已恢复 {sum(made.tables.values())} 行", f"restored, {made.recordings} recordings")


@click.command()
@click.option("--markdown", is_flag=True, help="写成文档 · as the page docs/settings.md")
def settings(markdown: bool) -> None:
    """列出全部设置和现在的值；密钥不显示。

    List every setting; secrets are not shown.
    """
    if markdown:
        click.echo(settings_page(), nl=False)
        return
    import os

    for variable in VARIABLES:
        given = os.environ.get(variable.name, "")
        shown = ("(set)" if variable.is_secret else given) if given else f"({variable.default or 'not set'})"
        click.echo(f"{variable.name:<26} {shown}")


def settings_page() -> str:
    """The page docs/settings.md, written from the table of variables."""
    rows = "\n".join(f"| `{one.name}` | {one.default or '–'} | {one.meaning} |" for one in VARIABLES)
    return (
        "# Settings\n\n"
        "Process settings come from the environment; this page is written from `admin/settings.py` by\n"
        "`make settings`. Settings of a community (voice, seats at a number, the number of a person) are\n"
        "records and change at the desk, audited.\n\n"
        f"| variable | default | meaning |\n|---|---|---|\n{rows}\n"
    )
