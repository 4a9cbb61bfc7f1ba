"""What the doctor sees of the loudspeakers' broker: whether it is there, and lets in whom it should."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import select

from admin.finding import Finding
from admin.parts import open_archive
from admin.settings import Settings
from ivr.broadcast.broker_address import Broker
from ivr.broadcast.broker_files import doctor_secret
from ivr.broadcast.knocking import DOCTOR, knock
from sync.records.tables import Loudspeaker

MATTER = "broker"


def look_at_broker(settings: Settings) -> Iterator[Finding]:
    """Knock without a name, then with the doctor's own, where the broker's lists are written by us."""
    if not settings.broker:
        yield _unset(settings)
        return
    nobody = Broker.of(settings.broker, ca=settings.broker_ca)
    match knock(Broker(nobody.host, nobody.port, is_tls=nobody.is_tls, ca=nobody.ca)):
        case "silent":
            yield Finding(
                MATTER,
                False,
                "nobody answers",
                "start mosquitto, or correct TINGJIAN_MQTT; docs/loudspeakers.md",
            )
        case "not trusted":
            remedy = "set TINGJIAN_MQTT_CA to the certificate that signed the broker's"
            yield Finding(MATTER, False, "its certificate is not trusted", remedy)
        case "let in":
            yield Finding(
                MATTER, False, "lets in whoever comes", "allow_anonymous false, in its configuration"
            )
        case "refused":
            yield from _known(settings, nobody)


def _unset(settings: Settings) -> Finding:
    wants = bool(_speakers(settings))
    says = "none, but loudspeakers wait for it" if wants else "none: no loudspeakers by MQTT"
    return Finding(MATTER, not wants, says, "set TINGJIAN_MQTT; docs/loudspeakers.md")


def _known(settings: Settings, broker: Broker) -> Iterator[Finding]:
    """`TINGJIAN_MQTT_SECRET` is set where others keep the broker's accounts: there we have but one."""
    if not broker.is_tls and not _is_near(broker.host):
        yield Finding(MATTER, False, "passwords cross the network in the clear", "use mqtts://")
    if settings.broker_secret or not settings.home.exists():
        yield Finding(MATTER, True, "answers, and asks for a name")
        return
    archive = open_archive(settings)
    try:
        doctor = Broker(broker.host, broker.port, DOCTOR, doctor_secret(archive), broker.is_tls, broker.ca)
    finally:
        archive.close()
    is_in = knock(doctor) == "let in"
    says = "answers, and knows our accounts" if is_in else "does not know our accounts"
    yield Finding(MATTER, is_in, says, "tingjian speaker broker-files FOLDER; then kill -HUP mosquitto")


def _is_near(host: str) -> bool:
    """Whether it is in our own network: a private address, or a name without a domain."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


def _speakers(settings: Settings) -> list[str]:
    scheme, _, path = settings.database_url.partition(":///")
    if scheme == "sqlite" and not Path(path).exists():
        return []
    archive = open_archive(settings)
    try:
        if not archive.database.is_current():
            return []
        with archive.database.read() as session:
            hung = select(Loudspeaker.id).where(Loudspeaker.kind == "mqtt", Loudspeaker.state == "active")
            return list(session.scalars(hung))
    finally:
        archive.close()
