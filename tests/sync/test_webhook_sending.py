"""One webhook on the wire: signed, pinned to the address that was checked, never led elsewhere or held up."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from sync.webhooks import sending
from sync.webhooks.addresses import Reach, Target, look_up
from sync.webhooks.sending import Sent, send
from tests.sync.test_webhook_addresses import named
from tests.sync.webhook_receiver import NEAR, Receiver, receiver, receiving

__all__ = ["receiver"]

BODY = '{"subject":"tp_1","说":"路灯"}'
NEW, OLD = "whsec_" + "bmV3" * 8, "whsec_" + "b2xk" * 8


def sent(url: str, reach: Reach = NEAR, *secrets: str) -> Sent:
    return send(url, "ev_1", BODY, secrets or (NEW,), datetime.now(UTC), reach)


def test_the_receiver_can_prove_where_it_comes_from(receiver: Receiver) -> None:
    told = sent(f"{receiver.base}/hook?of=us")
    assert (told.status, told.problem, told.is_taken) == (200, None, True)
    (came,) = receiver.received
    assert came.path == "/hook?of=us"
    assert came.headers["webhook-id"] == "ev_1"
    assert came.headers["content-type"].startswith("application/cloudevents+json")
    assert Webhook(NEW).verify(came.body, came.headers)["subject"] == "tp_1"
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(came.body + b" ", came.headers)


def test_while_secrets_are_exchanged_both_prove_it(receiver: Receiver) -> None:
    sent(receiver.base, NEAR, NEW, OLD)
    (came,) = receiver.received
    for secret in (NEW, OLD):
        Webhook(secret).verify(came.body, came.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "b3Ro" * 8).verify(came.body, came.headers)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_only_a_2xx_takes_it_and_nobody_leads_us_elsewhere(receiver: Receiver, status: int) -> None:
    receiver.moods = [status]
    told = sent(f"{receiver.base}/hook")
    assert (told.status, told.problem, told.is_taken) == (status, "refused", False)
    assert [one.path for one in receiver.received] == ["/hook"]


def test_gone_is_told_apart(receiver: Receiver) -> None:
    receiver.moods = [410, 404]
    assert sent(receiver.base).is_gone
    assert not sent(receiver.base).is_gone


def test_nobody_at_home_is_a_word_not_an_error(receiver: Receiver) -> None:
    receiver.moods = ["slammed"]
    assert sent(receiver.base).problem == "not_reached"
    with receiving() as gone:
        pass
    assert sent(gone.base).problem == "not_reached"
    assert sent("https://nobody.invalid/").problem == "name_unknown"
    assert sent(receiver.base, Reach()).problem == "address_not_public"
    assert len(receiver.received) == 1


def test_who_is_slow_or_trickles_is_cut_off(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LONGEST_SECONDS", 0.4)
    receiver.moods = ["trickling"]
    began = time.monotonic()
    assert sent(receiver.base).problem == "too_slow"
    assert time.monotonic() - began < 5
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 0.2)
    receiver.rests = 0.6
    assert sent(receiver.base).problem == "too_slow"


def test_a_name_that_points_elsewhere_a_moment_later_leads_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the second answer to the same question is never asked for."""
    addresses = ["127.0.0.1"]
    with receiving() as ours, receiving("127.0.0.2", ours.port) as theirs:
        asked = named(monkeypatch, hooks_test=addresses)

        def looked_up(url: str, reach: Reach) -> Target:
            target = look_up(url, reach)
            addresses[:] = ["127.0.0.2"]
            return target

        monkeypatch.setattr(sending, "look_up", looked_up)
        assert sent(f"http://hooks.test:{ours.port}/", Reach.of("127.0.0.1")).is_taken
        assert asked.count("hooks.test") == 1
        assert [one.headers["host"] for one in ours.received] == [f"hooks.test:{ours.port}"]
        assert theirs.received == []
        assert sent(f"http://hooks.test:{ours.port}/", Reach.of("127.0.0.1")).problem == "address_not_public"
        assert theirs.received == []


def test_tls_is_checked_against_the_name_though_the_address_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, trusted = a_certificate(tmp_path, "hooks.test")
    named(monkeypatch, hooks_test=["127.0.0.1"], other_test=["127.0.0.1"])
    with receiving(tls=server) as receiver:
        assert sent(f"https://hooks.test:{receiver.port}/").problem == "certificate_not_valid"
        monkeypatch.setattr(sending, "_tls", lambda: trusted)
        assert sent(f"https://hooks.test:{receiver.port}/").is_taken
        assert sent(f"https://other.test:{receiver.port}/").problem == "certificate_not_valid"
        assert [one.headers["host"] for one in receiver.received] == [f"hooks.test:{receiver.port}"]
    with receiving() as plain:
        assert sent(f"https://hooks.test:{plain.port}/").problem in {"no_tls", "not_reached"}


def a_certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server that shows a certificate for `name` only, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=str(folder / "cert.pem"))
