"""The doctor: silent on health, clear on each sickness, always comes to the end."""

from __future__ import annotations

import socket
from pathlib import Path

from click.testing import CliRunner

from admin.cli import main
from admin.doctor import examine
from admin.finding import Finding
from admin.settings import Settings
from sync.archive import Archive


def _settings(home: Path, **variables: str) -> Settings:
    free = {
        "TINGJIAN_PORT": str(_free_port()),
        "TINGJIAN_EXCHANGE_PORT": str(_free_port()),
        "TINGJIAN_SIP": f"127.0.0.1:{_free_port()}",
    }
    return Settings.from_environment(
        {"TINGJIAN_HOME": str(home), "TINGJIAN_MODELS": str(home), **free, **variables}
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _found(settings: Settings) -> dict[str, Finding]:
    return {finding.matter: finding for finding in examine(settings)}


def test_a_fresh_home_lacks_only_its_models(tmp_path: Path) -> None:
    found = _found(_settings(tmp_path))
    assert [matter for matter, one in found.items() if not one.is_ok] == ["models"]
    assert found["models"].remedy == "tingjian models fetch"


def test_keys_that_others_can_read_are_told(tmp_path: Path) -> None:
    Archive.open(f"sqlite:///{tmp_path}/tingjian.db", tmp_path).close()
    (tmp_path / "keys.json").chmod(0o644)
    found = _found(_settings(tmp_path))["keys"]
    assert not found.is_ok
    assert "chmod 600" in found.remedy


def test_tables_that_are_behind_are_told(tmp_path: Path) -> None:
    (tmp_path / "tingjian.db").touch()
    found = _found(_settings(tmp_path))["migrations"]
    assert (found.is_ok, found.remedy) == (False, "tingjian migrate")


def test_an_unreachable_database_is_told_and_the_doctor_goes_on(tmp_path: Path) -> None:
    address = f"postgresql://nobody:nothing@127.0.0.1:{_free_port()}/none"
    found = _found(_settings(tmp_path, DATABASE_URL=address))
    assert not found["database"].is_ok
    assert "nothing" not in found["database"].says
    assert "exchange port" in found


def test_a_redis_that_is_away_is_told(tmp_path: Path) -> None:
    assert not _found(_settings(tmp_path, REDIS_URL=f"redis://127.0.0.1:{_free_port()}/0"))["redis"].is_ok


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = _found(_settings(tmp_path, TINGJIAN_EXCHANGE_PORT=str(port)))["exchange port"]
    assert not found.is_ok
    assert "TINGJIAN_EXCHANGE_PORT" in found.remedy


def test_processes_elsewhere_are_looked_for_where_they_are(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        there = f"http://127.0.0.2:{listener.getsockname()[1]}"
        found = _found(_settings(tmp_path, WEB_URL=f"http://127.0.0.2:{_free_port()}", EXCHANGE_URL=there))
    assert found["exchange port"].is_ok
    assert "127.0.0.2" in found["exchange port"].says
    assert not found["web port"].is_ok


def test_a_phone_platform_needs_an_address_it_can_reach(tmp_path: Path) -> None:
    found = _found(_settings(tmp_path, TWILIO_ACCOUNT_SID="AC1"))
    assert not found["public address"].is_ok
    assert not found["phone platform"].is_ok


def test_the_command_ends_with_one_where_something_is_wrong(tmp_path: Path) -> None:
    told = CliRunner().invoke(
        main, ["doctor"], env={"TINGJIAN_HOME": str(tmp_path), "TINGJIAN_MODELS": str(tmp_path)}
    )
    assert told.exit_code == 1
    assert "problem  models" in told.output
