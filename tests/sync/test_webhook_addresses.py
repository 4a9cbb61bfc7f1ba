"""Webhooks go to public addresses over https, to the very address that was checked, and nowhere else."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from sync.webhooks.addresses import Reach, Unreachable, is_public, look_up

NOT_PUBLIC = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.5.4", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "168.63.129.16",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::a00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:0a00:0001::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",
    "2001:0:7f00:1::f5ff:fffe", "2001:0:5db8:d822::f5ff:fffe",
    "4000::1", "1234::1",
)  # fmt: skip
PUBLIC = (
    "93.184.216.34",
    "223.5.5.5",
    "2400:3200::1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
)


def named(monkeypatch: pytest.MonkeyPatch, **names: list[str]) -> list[str]:
    """Let these names (dots as underscores) resolve to these addresses; the list of names asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def found(host: str, port: int, *args: Any, **more: Any) -> Any:
        asked.append(host)
        addresses = names.get(host.replace(".", "_"))
        if addresses is None:
            return real(host, port, *args, **more)
        return [one for address in addresses for one in real(address, port, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_no_public_kind_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    url = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    with pytest.raises(Unreachable, match="address_not_public"):
        look_up(url, Reach())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_admitted(address: str) -> None:
    url = f"https://[{address}]/hook?a=1" if ":" in address else f"https://{address}/hook?a=1"
    target = look_up(url, Reach())
    assert (target.is_tls, target.port, target.path) == (True, 443, "/hook?a=1")
    assert target.addresses == (ip_address(address),)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "LOCALHOST"])
def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    with pytest.raises(Unreachable):
        look_up(f"https://{host}/", Reach())


def test_one_bad_address_among_good_ones_refuses_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, hooks_test=["93.184.216.34", "10.0.0.7"])
    with pytest.raises(Unreachable, match="address_not_public"):
        look_up("https://hooks.test/", Reach())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.test/", "https:///path", "hooks.test/path", "file:///etc/passwd", "https://hooks.test:0/",
        "https://hooks.test:99999/", "https://user:word@hooks.test/", "https://hooks.test/#part",
        "https://hooks.test/\r\nx: y", "https://hooks.test/a b", "https://höoks.test/", "https://[::1/",
        "https://hooks.test/" + "a" * 2000, "gopher://127.0.0.1:6379/_FLUSHALL", "",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(Unreachable, match="no_such_address"):
        look_up(url, Reach.of("0.0.0.0/0, ::/0"))


def test_a_name_nobody_knows_is_refused() -> None:
    with pytest.raises(Unreachable, match="name_unknown"):
        look_up("https://nobody.invalid/", Reach())


def test_plain_http_only_where_the_operator_allows_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, hooks_test=["93.184.216.34"])
    with pytest.raises(Unreachable, match="not_https"):
        look_up("http://hooks.test/", Reach())
    target = look_up("http://10.20.3.4:8080/", Reach.of("10.20.0.0/16"))
    assert (target.is_tls, target.host_header) == (False, "10.20.3.4:8080")
    assert look_up("https://10.20.3.4/", Reach.of("10.20.0.0/16")).host_header == "10.20.3.4"
    with pytest.raises(Unreachable, match="address_not_public"):
        look_up("http://10.21.0.1/", Reach.of("10.20.0.0/16"))


def test_what_is_allowed_is_said_in_networks() -> None:
    assert Reach.of("").allowed == ()
    assert Reach.of("10.0.0.0/8, fd12::/16").admits(ip_address("fd12::7"))
    for wrong in ("everything", "10.0.0.1/8", "10.0.0.0/40"):
        with pytest.raises(ValueError):
            Reach.of(wrong)
