"""Settings come from the environment, say clearly what is wrong, and can be handed to another process."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.settings import Settings, SettingsError, redis_socket


def test_nothing_set_means_loopback_sqlite_and_an_embedded_redis(tmp_path: Path) -> None:
    settings = Settings.from_environment({"TINGJIAN_HOME": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path}/tingjian.db"
    assert settings.owns_redis
    assert settings.host == "127.0.0.1"
    assert settings.phone_url == "ws://127.0.0.1:8010/phone/ws"


def test_a_postgres_address_as_people_write_it_is_understood() -> None:
    for address in ("postgres://u:p@h/d", "postgresql://u:p@h/d"):
        assert (
            Settings.from_environment({"DATABASE_URL": address}).database_url
            == "postgresql+psycopg://u:p@h/d"
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TINGJIAN_PORT", "eighty"),
        ("TINGJIAN_PORT", "70000"),
        ("PUBLIC_BASE_URL", "calls.example.org"),
        ("DATABASE_URL", "mysql://x"),
        ("TINGJIAN_WEB_WORKERS", "0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: value})


def test_another_process_reads_the_same_settings(tmp_path: Path) -> None:
    given = {
        "TINGJIAN_HOME": str(tmp_path),
        "TINGJIAN_PORT": "8123",
        "REDIS_URL": "redis://elsewhere/1",
        "TWILIO_ACCOUNT_SID": "AC1",
        "TWILIO_AUTH_TOKEN": "secret",
        "TINGJIAN_MODELS": str(tmp_path / "models"),
    }
    settings = Settings.from_environment(given)
    assert Settings.from_environment(settings.to_environment()) == settings


def test_a_home_with_a_long_path_still_gets_a_socket_that_fits(tmp_path: Path) -> None:
    home = tmp_path / ("很长的路径" * 12)
    assert len(str(redis_socket(home)).encode()) < 108
    assert redis_socket(home) == redis_socket(home)
    assert redis_socket(home) != redis_socket(home / "other")
