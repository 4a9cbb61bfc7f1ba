"""No container engine is here, so the files themselves are held to what they must say."""

from __future__ import annotations

import fnmatch
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from admin.cli import main
from admin.settings import VARIABLES
from sync.queue import QUEUES

ROOT = Path(__file__).parents[2]
OURS = (
    "web", "worker", "webhooks", "prompts", "placer", "exchange", "line", "broadcast", "migrate", "models",
)  # fmt: skip
ONCE = ("migrate", "models")
EXPECTED = {*OURS, "broker-files", "postgres", "redis", "mosquitto"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    text = (ROOT / "docker" / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_all_services_are_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == EXPECTED


def test_every_process_of_ours_runs_a_command_that_exists(compose: dict[str, Any]) -> None:
    for name in (*OURS, "broker-files"):
        context = click.Context(main)
        command: click.Command = main
        words = list(compose["services"][name]["command"])
        while isinstance(command, click.Group) and (words or not command.invoke_without_command):
            found = command.get_command(context, words.pop(0))
            assert found is not None, name
            command = found
        command.make_context(name, words)  # raises on an argument it does not know


def test_every_queue_has_a_worker(compose: dict[str, Any]) -> None:
    watched: set[str] = set()
    for service in compose["services"].values():
        words = service.get("command") or []
        watched |= {words[place + 1] for place, word in enumerate(words) if word == "--queue"}
    assert watched == set(QUEUES)


def test_workers_go_after_the_calls_and_hold_so_much_memory_and_no_more(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        is_worker = (service.get("command") or [""])[0] == "worker"
        assert ("cpu_shares" in service) == ("mem_limit" in service) == is_worker, name
        if is_worker:
            assert service["cpu_shares"] * 8 <= 1024, "an eighth of what others have"
            bound = next(one.default for one in VARIABLES if one.name == "TINGJIAN_WORKER_MEMORY")
            assert int(service["mem_limit"].removesuffix("g")) * 1024 > int(bound)


def test_every_lasting_service_has_a_health_check(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name not in ONCE:
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_what_must_last_lies_on_named_volumes(compose: dict[str, Any]) -> None:
    for name in OURS:
        mounts = dict(volume.split(":")[:2] for volume in compose["services"][name]["volumes"])
        assert mounts == {"records": "/var/lib/tingjian", "models": "/var/lib/tingjian-models"}
    assert {"records", "models", "postgres", "broker", "broker-files"} == set(compose["volumes"])


def test_the_broker_reads_the_lists_that_are_kept_for_it(compose: dict[str, Any]) -> None:
    keeper, broker = compose["services"]["broker-files"], compose["services"]["mosquitto"]
    assert keeper["command"][:2] == ["speaker", "broker-files"]
    folder = next(one.split(":")[1] for one in keeper["volumes"] if one.startswith("broker-files:"))
    assert folder == keeper["command"][2]
    assert "broker-files:/broker:ro" in broker["volumes"]
    assert broker["depends_on"]["broker-files"]["condition"] == "service_healthy"
    script = next(one for one in broker["volumes"] if one.startswith("./mosquitto.sh:"))
    assert script.split(":")[1] == broker["command"][1]
    group = broker["user"].split(":")[1]
    assert f"--gid {group} tingjian" in (ROOT / "docker" / "Dockerfile").read_text("utf-8")


def test_nothing_is_published_beyond_this_machine(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def test_our_processes_have_no_rights_to_spare(compose: dict[str, Any]) -> None:
    for name in (*OURS, "broker-files"):
        service = compose["services"][name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]


def test_every_variable_given_is_a_setting(compose: dict[str, Any], dockerfile: list[str]) -> None:
    known = {one.name for one in VARIABLES}
    assert set(compose["services"]["web"]["environment"]) <= known
    named = [
        word.partition("=")[0] for line in dockerfile for word in line.split() if word.startswith("TINGJIAN")
    ]
    assert named
    assert set(named) <= known


def test_the_image_runs_as_nobody_special_and_knows_its_health(dockerfile: list[str]) -> None:
    last_stage = dockerfile[max(place for place, line in enumerate(dockerfile) if line.startswith("FROM")) :]
    users = [line.split()[1] for line in last_stage if line.startswith("USER")]
    assert users == ["tingjian"]
    assert any(line.startswith("HEALTHCHECK") for line in last_stage)
    assert 'ENTRYPOINT ["tingjian"]' in last_stage


def test_the_image_installs_only_what_is_pinned_with_hashes(dockerfile: list[str]) -> None:
    installs = [line for line in dockerfile if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)


def test_the_image_is_given_what_it_copies_and_no_secrets(dockerfile: list[str]) -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert ignored[0] == "**"
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    copied = [
        word
        for line in dockerfile
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    for path in copied:
        assert any(fnmatch.fnmatch(path, pattern) for pattern in allowed), path
        assert "*" in path or (ROOT / path).exists() or path == "README.md"
    assert not any(fnmatch.fnmatch("var", pattern) for pattern in allowed)


def test_package_data_reaches_the_image() -> None:
    """What is read beside the code has to be in the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    for package in ("speech", "sync", "ivr", "admin"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix not in {".py", ".pyc"}:
                assert any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns), path


def test_the_broker_lets_nobody_in_without_a_name() -> None:
    text = (ROOT / "docker" / "mosquitto.conf").read_text("utf-8")
    listeners = text.split("listener ")[1:]
    public = next(part for part in listeners if part.startswith("1883"))
    assert "allow_anonymous false" in public
    assert "password_file /mosquitto/data/passwords" in public
    assert "acl_file /mosquitto/data/acl" in public
    assert "use_username_as_clientid true" in public
    anonymous = [part for part in listeners if "allow_anonymous true" in part]
    assert all(part.splitlines()[0].endswith("127.0.0.1") for part in anonymous)
