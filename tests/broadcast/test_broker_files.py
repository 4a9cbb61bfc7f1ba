"""Who may do what at a real broker, as our files say: added, changed, removed; with TLS; its script."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from admin.broker_doctor import look_at_broker
from admin.finding import Finding
from admin.settings import Settings
from ivr.broadcast.broker_address import Broker
from ivr.broadcast.broker_files import PASSWORDS, RIGHTS, accounts, our_secret, write_files
from ivr.broadcast.loudspeakers import BroadcastError, Wiring, open_kind
from ivr.broadcast.mqtt import MqttLoudspeakers
from sync.archive import Archive
from sync.broadcasting import add_loudspeaker, change_secret, set_loudspeaker_state
from sync.desk import Actor
from sync.records.tables import Community
from tests.broadcast.broker import MOSQUITTO, Device, RealBroker, free_port, needs_mosquitto, until
from tests.broadcast.jobs import Ledger
from tests.broadcast.village import Mouth, loudspeaker

pytestmark = needs_mosquitto
SCRIPT = Path(__file__).parents[2] / "docker" / "mosquitto.sh"
ACTOR = Actor("st_1", "cm_test")


def hang(archive: Archive, name: str) -> tuple[str, str]:
    """A new loudspeaker: its id and secret."""
    with archive.database.begin() as session:
        return add_loudspeaker(session, archive, ACTOR, name, "mqtt", datetime.now(UTC))


def written(archive: Archive, folder: Path) -> bool:
    with archive.database.read() as session:
        given = accounts(session, archive, our_secret(archive))
    return write_files(folder, archive, given)


def found(home: Path, **variables: str) -> Finding:
    """What the doctor says of the broker."""
    records = {"TINGJIAN_HOME": str(home), "DATABASE_URL": f"sqlite:///{home}/records.db"}
    (finding,) = look_at_broker(Settings.from_environment({**records, **variables}))
    return finding


def is_let_in(broker: Broker) -> bool:
    device = Device(broker)
    device.close()
    return device.is_in


def test_files_follow_the_list_of_loudspeakers_and_the_broker_follows_the_files(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    first, first_secret = hang(archive, "村口1号")
    second, second_secret = hang(archive, "村口2号")
    broker = RealBroker(tmp_path / "broker", {})
    assert written(archive, broker.folder)
    assert not written(archive, broker.folder)  # the same list, the same files
    text = (broker.folder / PASSWORDS).read_text()
    names = [line.partition(":")[0] for line in text.splitlines()]
    assert names == ["tingjian", "tingjian-doctor", *sorted([first, second])]
    assert first_secret not in text
    assert all((broker.folder / name).stat().st_mode & 0o777 == 0o640 for name in (PASSWORDS, RIGHTS))
    broker.start()
    try:
        ours = broker.address("tingjian", our_secret(archive))
        assert is_let_in(ours)
        assert is_let_in(broker.address(first, first_secret))
        assert not is_let_in(broker.address(first, second_secret))
        listening = Device(broker.address(second, second_secret))
        with archive.database.begin() as session:
            fresh = change_secret(session, archive, ACTOR, first)
            set_loudspeaker_state(session, ACTOR, second, "removed")
        assert written(archive, broker.folder)
        broker.signal(signal.SIGHUP)
        near = f"mqtt://127.0.0.1:{broker.port}"
        assert found(tmp_path, TINGJIAN_MQTT=near).says == "answers, and knows our accounts"
        until(lambda: not is_let_in(broker.address(second, second_secret)), 10, "the removed one is shut out")
        until(lambda: len(listening.answers) > 1, 10, "who was connected is sent away and not let in again")
        assert not listening.is_in
        listening.close()
        assert not is_let_in(broker.address(first, first_secret))
        assert is_let_in(broker.address(first, fresh))
    finally:
        broker.kill()


def test_the_containers_script_runs_the_broker_and_lets_it_read_changes(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    lists, data = tmp_path / "lists", tmp_path / "data"
    speaker_id, secret = hang(archive, "村口1号")
    written(archive, lists)
    broker = RealBroker(data, {})
    ways = {"LISTS": lists, "DATA": data, "CONF": data / "conf", "PAUSE": "0.1"}
    path = f"{Path(str(MOSQUITTO)).parent}:{os.environ['PATH']}"
    script = subprocess.Popen(
        ["sh", str(SCRIPT)], env={"PATH": path, **{name: str(way) for name, way in ways.items()}}
    )
    try:
        until(broker.answers, 15, "the broker answers")
        assert is_let_in(broker.address(speaker_id, secret))
        other, other_secret = hang(archive, "村口2号")
        assert not is_let_in(broker.address(other, other_secret))
        written(archive, lists)
        until(lambda: is_let_in(broker.address(other, other_secret)), 15, "the new one is let in")
        assert (data / PASSWORDS).stat().st_mode & 0o077 == 0
    finally:
        script.terminate()
        script.wait(15)
    until(lambda: not broker.answers(), 10, "the broker ends with its script")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ca.pem` and, signed by it for 127.0.0.1, `cert.pem` and `key.pem`."""
    folder, now = tmp_path_factory.mktemp("tls"), datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "our own")])

    def made(name: x509.Name, public: ec.EllipticCurvePublicKey, more: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(ca).public_key(public)
        builder = builder.serial_number(x509.random_serial_number()).add_extension(more, critical=False)
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    near = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    (folder / "ca.pem").write_bytes(made(ca, ca_key.public_key(), x509.BasicConstraints(True, None)))
    (folder / "cert.pem").write_bytes(made(name, key.public_key(), near))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(plain)
    return folder


@pytest.fixture
def safe_broker(tmp_path: Path, tls: Path) -> Iterator[tuple[RealBroker, int]]:
    """A broker that also listens with TLS, at the port given."""
    port = free_port()
    more = f"listener {port} 127.0.0.1\ncertfile {tls}/cert.pem\nkeyfile {tls}/key.pem"
    broker = RealBroker(tmp_path / "broker", {}, more)
    yield broker, port
    broker.kill()


def test_with_tls_and_a_certificate_of_ones_own(
    archive: Archive, community: Community, tmp_path: Path, tls: Path, safe_broker: tuple[RealBroker, int]
) -> None:
    broker, port = safe_broker
    speaker_id, secret = hang(archive, "村口1号")
    written(archive, broker.folder)
    broker.start()
    url, ca = f"mqtts://127.0.0.1:{port}", str(tls / "ca.pem")
    assert found(tmp_path, TINGJIAN_MQTT=url, TINGJIAN_MQTT_CA=ca).is_ok
    assert "not trusted" in found(tmp_path, TINGJIAN_MQTT=url).says

    async def scene() -> None:
        wiring = Wiring(archive, tmp_path, "http://127.0.0.1:9", {"broker": url, "broker_ca": ca})
        ours, ledger = open_kind("mqtt", wiring), Ledger()
        await ours.start(ledger)
        async with loudspeaker(Broker.of(url, speaker_id, secret, ca), Mouth()):
            await ledger.until(lambda: any(one.loudspeaker_id == speaker_id for one in ledger.told))
        stranger = MqttLoudspeakers.opened(
            Wiring(archive, tmp_path, "http://127.0.0.1:9", {"broker": url})  # whose certificate is that?
        )
        await stranger.start(Ledger())
        await asyncio.sleep(0.5)
        assert not stranger.is_up
        await stranger.close()
        await ours.close()

    asyncio.run(scene())


def test_the_doctor_tells_what_is_wrong_with_a_broker(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    assert found(tmp_path).is_ok
    hang(archive, "村口1号")
    assert "wait for it" in found(tmp_path).says
    assert found(tmp_path, TINGJIAN_MQTT=f"mqtt://127.0.0.1:{free_port()}").says == "nobody answers"
    broker = RealBroker(tmp_path / "broker", {"ls_other": "secret"})
    broker.start()
    try:
        here = f"mqtt://127.0.0.1:{broker.port}"
        assert "does not know our accounts" in found(tmp_path, TINGJIAN_MQTT=here).says
        assert found(tmp_path, TINGJIAN_MQTT=here, TINGJIAN_MQTT_SECRET="kept elsewhere").is_ok
        broker.kill()
        conf = broker.folder / "conf"
        lines = conf.read_text().replace("allow_anonymous false", "allow_anonymous true").splitlines()
        conf.write_text("\n".join(line for line in lines if not line.startswith("use_username")))
        broker.start()
        assert "whoever comes" in found(tmp_path, TINGJIAN_MQTT=here).says
    finally:
        broker.kill()


def test_what_is_set_wrongly_is_said_in_our_words(archive: Archive, tmp_path: Path) -> None:
    for url in ("", "http://127.0.0.1", "mqtt://", "mqtt://host:port", "mqtt://host/path", "127.0.0.1:1883"):
        with pytest.raises(BroadcastError, match="TINGJIAN_MQTT"):
            open_kind("mqtt", Wiring(archive, tmp_path, "http://127.0.0.1:9", {"broker": url}))

    async def scene() -> None:
        bad = {"broker": "mqtts://127.0.0.1:9", "broker_ca": str(tmp_path / "none.pem")}
        with pytest.raises(BroadcastError, match="certificates"):
            await open_kind("mqtt", Wiring(archive, tmp_path, "", bad)).start(Ledger())

    asyncio.run(scene())
