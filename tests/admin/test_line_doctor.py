"""The doctor's look at the telephone line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from admin.finding import Finding
from admin.line_doctor import look_at_line
from admin.settings import Settings

WELL = {"TINGJIAN_SIP_RTP_PORTS": "20000-20999"}


def found(home: Path, is_running: bool = False, **variables: str) -> dict[str, Finding]:
    """What is found, by matter."""
    given = {"TINGJIAN_HOME": str(home), "EXCHANGE_URL": "http://127.0.0.1:9", **WELL, **variables}
    findings = look_at_line(Settings.from_environment(given), is_running)
    return {finding.matter: finding for finding in findings}


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_line_that_is_well_or_off(tmp_path: Path) -> None:
    here = f"127.0.0.1:{free_udp_port()}"
    all_well = found(tmp_path, TINGJIAN_SIP=here, TINGJIAN_SIP_TRUNKS="127.0.0.9 10.0.0.0/8")
    assert all(one.is_ok for one in all_well.values()), all_well
    assert "10.0.0.0/8" in all_well["trunks"].says
    assert [one.says for one in found(tmp_path, TINGJIAN_SIP="off").values()] == ["off"]


@pytest.mark.parametrize(
    ("matter", "variables", "remedy"),
    [
        ("sound ports", {"TINGJIAN_SIP_RTP_PORTS": "20000-20019"}, "TINGJIAN_SIP_RTP_PORTS"),
        ("sound ports", {"TINGJIAN_SIP_RTP_PORTS": "20000-60000"}, "other programs"),
        ("trunks", {"TINGJIAN_SIP_TRUNKS": "nowhere.invalid"}, "TINGJIAN_SIP_TRUNKS"),
        ("line's account", {"TINGJIAN_SIP_ACCOUNT": "1@sip.example.com"}, "TINGJIAN_SIP_PASSWORD"),
        ("line calls out", {"TINGJIAN_SIP_OUT": "nowhere.invalid"}, "TINGJIAN_SIP_OUT"),
    ],
)
def test_what_is_wrong_with_a_line(
    tmp_path: Path, matter: str, variables: dict[str, str], remedy: str
) -> None:
    one = found(tmp_path, TINGJIAN_SIP=f"127.0.0.1:{free_udp_port()}", **variables)[matter]
    assert not one.is_ok
    assert remedy in one.remedy


def test_a_port_that_is_taken_and_a_line_that_is_not_plugged_in(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        here = f"127.0.0.1:{taken.getsockname()[1]}"
        assert not found(tmp_path, TINGJIAN_SIP=here)["telephone line"].is_ok
    assert not found(tmp_path, is_running=True, TINGJIAN_SIP=here)["telephone line"].is_ok
