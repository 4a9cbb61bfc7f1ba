"""Promises about the project itself: queues watched, settings documented, small files, imports one way."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import click
import pytest

from admin.cli import COMMANDS, main
from admin.cli.upkeep import settings_page
from admin.run import PROCESSES
from admin.settings import VARIABLES
from ivr.prompts.book import LANGUAGES, Book
from sync import migrations
from sync.queue import JOBS, QUEUES

ROOT = Path(__file__).parents[2]
PACKAGES = ("speech", "sync", "ivr", "admin")
MOST_LINES = 400


def _watched(arguments: tuple[str, ...] | list[str]) -> set[str]:
    return {arguments[place + 1] for place, word in enumerate(arguments) if word == "--queue"}


def test_every_queue_has_a_worker_in_run() -> None:
    watched = set().union(*(_watched(tuple(arguments)) for arguments in PROCESSES.values()))
    assert {job.queue for job in JOBS.values()} <= watched
    assert watched == set(QUEUES)


def test_every_job_leads_to_a_function_that_exists() -> None:
    for name, job in JOBS.items():
        module, _, function = job.path.partition(":")
        spec = importlib.util.find_spec(module)
        assert spec is not None, name
        assert callable(getattr(importlib.import_module(module), function)), name


def test_every_setting_is_documented() -> None:
    page = ROOT / "docs" / "settings.md"
    assert page.read_text("utf-8") == settings_page(), "write it anew: make settings"


def test_no_environment_variable_is_read_behind_the_settings() -> None:
    known = {one.name for one in VARIABLES} | {"TINGJIAN_SUPERVISOR"}
    for path in _sources():
        for line in path.read_text("utf-8").splitlines():
            if "environ" in line and '"TINGJIAN' in line:
                assert any(f'"{name}"' in line for name in known), f"{path}: {line.strip()}"


def test_there_is_one_migration_head() -> None:
    assert len(migrations.heads()) == 1


def test_every_prompt_exists_in_every_language_with_the_same_values() -> None:
    books = [Book.load(language) for language in LANGUAGES]
    for book in books[1:]:
        assert book.ids == books[0].ids
        for prompt_id in book.ids:
            assert book.placeholders(prompt_id) == books[0].placeholders(prompt_id), prompt_id


def test_files_stay_small() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in _sources()
        if "versions" not in path.parts  # a migration is a list of tables, written by a program
        and (lines := len(path.read_text("utf-8").splitlines())) > MOST_LINES
    }
    assert not too_long


def test_every_module_begins_by_saying_what_it_is() -> None:
    import ast

    silent = [
        str(path.relative_to(ROOT))
        for path in _sources()
        if path.read_text("utf-8").strip() and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent


def test_no_module_hides_behind_a_vague_name() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not [path for path in _sources() if path.stem in vague or path.parent.name in vague]


def test_imports_go_one_way() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_in_both_languages(name: str) -> None:
    from click.testing import CliRunner

    shown = CliRunner().invoke(main, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert any("一" <= letter <= "鿿" for letter in shown.output)
    assert isinstance(main.get_command(click.Context(main), name), click.Command)


def _sources() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
