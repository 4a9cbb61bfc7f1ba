"""Commands about loudspeakers: hang one up, let the broker know them, be one."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from admin.cli.terms import done, kindly, opened, pick_community, read_settings
from sync.errors import RecordsUnavailable

if TYPE_CHECKING:
    from ivr.broadcast.broker_address import Broker
    from ivr.broadcast.player import Player
    from sync.archive import Archive

ACTOR = "command"
KEEP_SECONDS = 10.0
path = click.Path(path_type=Path, dir_okay=False)


@click.group()
def speaker() -> None:
    """喇叭：添加、列出、模拟。

    Loudspeakers: add and list them, write the broker's files, be one for a trial.
    """


@speaker.command("add")
@click.argument("name")
@click.option("--kind", default="mqtt", show_default=True, help="mqtt · sip · callin · multicast · files")
@click.option("--address", multiple=True, metavar="KEY=VALUE", help="怎样连到它 · how it is reached")
@click.option("--place", default="", help="装在哪里 · where it hangs")
@click.option("--area", default="", help="片区 · its area")
@click.option("--community", "asked", help="社区名称 · which community")
@kindly
def add(name: str, kind: str, address: tuple[str, ...], place: str, area: str, asked: str | None) -> None:
    """添加喇叭 NAME，显示一次密码。

    Add the loudspeaker NAME; shows its id and its secret, once.
    """
    from sync.broadcasting import add_loudspeaker
    from sync.desk import Actor, DeskError

    reached = dict(one.partition("=")[::2] for one in address)
    with opened(read_settings()) as archive, archive.database.begin() as session:
        actor = Actor(ACTOR, pick_community(session, asked).id)
        try:
            speaker_id, secret = add_loudspeaker(
                session, archive, actor, name, kind, datetime.now(UTC), reached, place, area
            )
        except DeskError as error:
            raise click.ClickException(str(error)) from error
    done(f"已添加 {speaker_id}，密码只显示这一次", "added; the secret is shown this once")
    click.echo(secret)


@speaker.command("list")
@click.option("--community", "asked", help="社区名称 · which community")
@kindly
def listed(asked: str | None) -> None:
    """列出喇叭：编号、种类、在不在、名称。

    List the loudspeakers: id, kind, whether it is there and when it was last seen, name.
    """
    from sync.broadcasting import loudspeakers_of

    with opened(read_settings()) as archive, archive.database.read() as session:
        for one in loudspeakers_of(session, pick_community(session, asked).id):
            seen = f"{one.last_seen_at:%Y-%m-%d %H:%M}" if one.last_seen_at else "-"
            click.echo(f"{one.id}  {one.kind:<9}  {one.state:<7}  {one.presence:<7}  {seen:<16}  {one.name}")


@speaker.command("broker-files")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--keep", is_flag=True, help="一直更新 · go on, and write them anew whenever they change")
@kindly
def broker_files(folder: Path, keep: bool) -> None:
    """写出 mosquitto 的密码和权限文件。

    Write mosquitto's files of passwords and rights into FOLDER: every loudspeaker may read its own jobs and
    answer for itself, nothing else. mosquitto reads them anew on SIGHUP.
    """
    from admin.supervised import end_with_supervisor
    from ivr.broadcast.broker_files import our_secret

    settings = read_settings()
    end_with_supervisor()
    with opened(settings) as archive:
        ours = our_secret(archive, settings.broker_secret)
        _write_files(archive, ours, folder)
        while keep:
            time.sleep(KEEP_SECONDS)
            try:
                _write_files(archive, ours, folder)
            except RecordsUnavailable as error:
                click.echo(f"待会再试 · later: {error}", err=True)


def _write_files(archive: Archive, ours: str, folder: Path) -> None:
    from ivr.broadcast.broker_files import accounts, write_files

    with archive.database.read() as session:
        given = accounts(session, archive, ours)
    try:
        if write_files(folder, archive, given):
            done(f"已写出 {len(given)} 个账号", f"{len(given)} accounts written")
        (folder / "checked").touch()
    except OSError as error:
        raise click.ClickException(f"写不进去 · can't be written: {error}") from error


@speaker.command("simulate")
@click.argument("name", required=False)
@click.option("--mqtt", "broker", help="mqtt://编号@主机:1883 · a broker, with the loudspeaker's id")
@click.option("--secret-file", type=click.File(), help="密码文件，- 为标准输入 · its secret; - is stdin")
@click.option("--ca", default="", help="证书文件 · certificate of a broker with mqtts://")
@click.option("--sip", help="主机:端口 · as a telephone that picks up by itself, at HOST:PORT")
@click.option("--from", "welcome", multiple=True, help="谁可以打来 · who may call besides this machine")
@click.option("--pin", default="", help="按了这些键才播 · plays only after these keys")
@click.option("--wav", type=path, help="播到这个文件 · plays into this WAV file")
@click.option("--card", is_flag=True, help="播到声卡 · plays through the sound card")
@click.option("--memory", type=path, help="记住播过什么的文件 · file of what it played")
@kindly
def simulate(
    name: str | None, broker: str | None, secret_file: Any, ca: str, sip: str | None,
    welcome: tuple[str, ...], pin: str, wav: Path | None, card: bool, memory: Path | None,
) -> None:  # fmt: skip
    """做一只喇叭：接任务、取声音、播、回报。

    Be a loudspeaker until Ctrl-C: NAME is one of ours (its name or id); or give --mqtt or --sip. Sound goes
    into a WAV file (by default TINGJIAN_HOME/speakers/….wav) or through the sound card.
    """
    from ivr.broadcast.loudspeakers import BroadcastError
    from ivr.exchange.errors import ExchangeError

    home = read_settings().home / "speakers"
    try:
        if sip:
            _live(_sip(sip, welcome, pin, wav or home / "sip.wav"))
            return
        address = _broker(name, broker, secret_file.read().strip() if secret_file else "", ca)
        where = wav or home / f"{address.user}.wav"
        _live(_mqtt(address, memory or home / f"{address.user}.jsonl", _player(where, card)))
    except (BroadcastError, ExchangeError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _broker(name: str | None, url: str | None, secret: str, ca: str) -> Broker:
    """Where the loudspeaker connects, and as whom: as told, or as our records have it."""
    from ivr.broadcast.broker_address import Broker

    settings = read_settings()
    try:
        if name is None:
            broker = Broker.of(url or settings.broker, secret=secret, ca=ca or settings.broker_ca)
        else:
            user, known = _ours(name)
            broker = Broker.of(url or settings.broker, user, secret or known, ca or settings.broker_ca)
    except ValueError as error:
        raise click.ClickException(f"--mqtt, TINGJIAN_MQTT: {error}") from error
    if not broker.user:
        raise click.ClickException("哪一只喇叭？ · which loudspeaker? NAME, or mqtt://ls_…@host")
    return broker


def _ours(name: str) -> tuple[str, str]:
    from sqlalchemy import or_, select

    from sync.broadcasting import secret_of
    from sync.records.tables import Loudspeaker

    with opened(read_settings()) as archive, archive.database.read() as session:
        meant = select(Loudspeaker).where(or_(Loudspeaker.id == name, Loudspeaker.name == name))
        rows = session.scalars(meant.where(Loudspeaker.state != "removed")).all()
        if len(rows) != 1:
            raise click.ClickException("没有这只喇叭，或不止一只 · none, or more than one of that name")
        return rows[0].id, secret_of(session, archive, rows[0])


def _player(wav: Path, is_card: bool) -> Player:
    from ivr.broadcast.player import SoundCard, WavPlayer

    return SoundCard() if is_card else WavPlayer(wav)


def _mqtt(broker: Broker, memory: Path, player: Player) -> Coroutine[Any, Any, None]:
    from ivr.broadcast.played import Memory
    from ivr.broadcast.simulator import SimulatedLoudspeaker

    memory.parent.mkdir(parents=True, exist_ok=True)
    return SimulatedLoudspeaker(broker, Memory(memory), player, click.echo).run()


def _sip(where: str, welcome: tuple[str, ...], pin: str, wav: Path) -> Coroutine[Any, Any, None]:
    from ivr.broadcast.player import WavPlayer
    from ivr.broadcast.simulated_sip import SipLoudspeaker, speaker_line
    from ivr.exchange.sip.baresip_stack import BaresipStack
    from ivr.exchange.sound import RATE

    host, _, port = where.rpartition(":")
    if not port.isdigit():
        raise click.ClickException("--sip 127.0.0.1:5090")
    line = speaker_line(host or "127.0.0.1", int(port), welcome)
    return SipLoudspeaker(BaresipStack(line), WavPlayer(wav, RATE), pin, click.echo).run()


def _live(life: Coroutine[Any, Any, None]) -> None:
    """Run until it ends, or SIGTERM or Ctrl-C ends it."""

    async def until_signal() -> None:
        living = asyncio.create_task(life)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, living.cancel)
        await asyncio.gather(living, return_exceptions=True)
        if not living.cancelled() and (error := living.exception()):
            raise error

    asyncio.run(until_signal())
