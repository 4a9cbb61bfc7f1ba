"""The command line: acts on records, mistakes told kindly, the card, backup and restore on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from admin.card import card, spoken_groups
from admin.cli import main
from admin.demo.seed import seed
from admin.parts import open_archive
from admin.settings import Settings
from admin.staff import check_password
from sync.records.tables import Opinion, Setting, Transcript


class Shell:
    """Types commands in one home."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.environment = {"TINGJIAN_HOME": str(home), **variables}

    def type(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words), env=self.environment)

    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    assert shell.type("community", "add", "青溪社区", "0571 1234 5678").exit_code == 0
    return shell


def test_a_community_is_added_once(shell: Shell) -> None:
    assert "+8657112345678" in shell.type("community", "list").output
    again = shell.type("community", "add", "别处", "0571 1234 5678")
    assert again.exit_code == 1
    assert "已有社区" in again.output


def test_a_staff_member_can_sign_in_afterwards(shell: Shell) -> None:
    assert shell.type("staff", "add", "小李", "--password", "a long password").exit_code == 0
    archive = open_archive(shell.settings())
    with archive.database.read() as session:
        assert check_password(session, "小李", "a long password") is not None
        assert check_password(session, "小李", "another password") is None
    archive.close()


def test_a_short_password_is_refused_in_both_languages(shell: Shell) -> None:
    told = shell.type("staff", "add", "小李", "--password", "short")
    assert told.exit_code == 1
    assert "至少" in told.output
    assert "at least" in told.output
    assert "Traceback" not in told.output


def test_a_setting_is_typed_checked_and_audited(shell: Shell) -> None:
    assert shell.type("community", "set", "seats_per_number", "3").exit_code == 0
    assert shell.type("community", "set", "seats_per_number", "30").exit_code == 1
    assert shell.type("community", "set", "colour", "red").exit_code == 1
    archive = open_archive(shell.settings())
    with archive.database.read() as session:
        assert session.scalars(select(Setting.value)).all() == [3]
    archive.close()


def test_a_wrong_setting_of_the_process_is_one_sentence(tmp_path: Path) -> None:
    told = Shell(tmp_path, TINGJIAN_PORT="eighty").type("migrate")
    assert told.exit_code == 1
    assert "TINGJIAN_PORT" in told.output
    assert "Traceback" not in told.output


def test_the_card_shows_number_and_keys_in_large_type(shell: Shell, tmp_path: Path) -> None:
    page = tmp_path / "card.html"
    assert shell.type("card", "--to", str(page)).exit_code == 0
    text = page.read_text("utf-8")
    assert "0571 1234 5678" in text
    assert all(f"<dt>{key}</dt>" in text for key in "12340*#9")
    assert "size: A4" in text
    assert "http" not in text
    assert "&lt;b&gt;" in card("<b>", "+8657112345678", "en")
    assert spoken_groups("no number") == "no number"


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def test_a_backup_brings_everything_back(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = "" if database == "sqlite" else request.getfixturevalue("postgres_url")
    old = Shell(tmp_path / "old")
    archive = open_archive(old.settings())
    archive.database.create()
    seed(archive, tmp_path / "old")
    archive.close()
    file = str(tmp_path / "all.tar")
    assert old.type("backup", file, "--passphrase", "a good one").exit_code == 0
    new = Shell(tmp_path / "new", DATABASE_URL=address)
    wrong = new.type("restore", file, "--passphrase", "a bad one")
    assert wrong.exit_code == 1
    assert "Traceback" not in wrong.output
    told = new.type("restore", file, "--passphrase", "a good one")
    assert told.exit_code == 0, told.output
    assert _words(new.settings()) == _words(old.settings()) != []


def _words(settings: Settings) -> list[str]:
    from admin.pages.reading import read_opinion

    archive = open_archive(settings)
    with archive.database.read() as session:
        everyone = session.scalars(select(Opinion).join(Transcript, Transcript.opinion_id == Opinion.id))
        found = [read_opinion(session, archive, one.community_id, one.id) for one in everyone]
    archive.close()
    return sorted(one.words or "" for one in found if one)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_card_fits_on_one_sheet(language: str, tmp_path: Path) -> None:
    import re
    import shutil
    import subprocess

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium here")
    page, sheet = tmp_path / "card.html", tmp_path / "card.pdf"
    page.write_text(card("长寿花园东里社区", "+8657112345678", language), "utf-8")
    subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile",
         "--no-pdf-header-footer", f"--print-to-pdf={sheet}", page.as_uri()],
        check=True, capture_output=True, timeout=90,
    )  # fmt: skip
    assert len(re.findall(rb"/Type\s*/Page[^s]", sheet.read_bytes())) == 1
