"""Whether one process of ours does its work, as a container's health check asks."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from redis.exceptions import RedisError
from rq import Worker

from admin.announcing import is_announcing
from admin.placing import is_beating
from admin.settings import Settings
from sync.queue import connect


def is_serving(address: str) -> bool:
    """Whether an address answers 200 within two seconds."""
    try:
        with build_opener(ProxyHandler({})).open(address, timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def near(settings: Settings, port: int) -> str:
    """A port of ours as reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{host}:{port}"


def is_working(settings: Settings) -> bool:
    """Whether a worker of this machine is enlisted; Redis strikes it off when it goes silent."""
    try:
        enlisted = Worker.all(connection=connect(settings.redis_url, answer_seconds=2.0))
    except RedisError:
        return False
    return any(one.hostname == socket.gethostname() for one in enlisted)


def told_by_exchange(settings: Settings) -> Mapping[str, Any]:
    """What the exchange says of itself: its calls, its lines, whether one of them `dials`; {} when silent."""
    try:
        with build_opener(ProxyHandler({})).open(f"{settings.exchange_url}/health", timeout=2.0) as answer:
            told = json.load(answer)
    except (URLError, OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def is_plugged_in(settings: Settings) -> bool:
    """Whether the exchange has a telephone line."""
    return bool(told_by_exchange(settings).get("lines"))


def is_well(settings: Settings, process: str) -> bool:
    """`web`, `exchange`, `line`, `placer` or `worker` of this machine."""
    match process:
        case "web":
            return is_serving(f"{near(settings, settings.port)}/health")
        case "exchange":
            return is_serving(f"{near(settings, settings.exchange_port)}/health")
        case "broadcast":
            return is_announcing(settings)
        case "line":
            return is_plugged_in(settings)
        case "placer":
            return is_beating(settings)
        case _:
            return is_working(settings)
