"""The web process: gunicorn with threads around the joined app."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.app.base import BaseApplication

from admin.app import Wsgi, create_app
from admin.settings import Settings

_THREADS = 8
_KEEP_ALIVE_SECONDS = 15


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, configured from our settings instead of its command line."""

    def __init__(self, settings: Settings, make_app: Callable[[], Wsgi]) -> None:
        self._settings = settings
        self._make_app = make_app
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        for name, value in server_options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Wsgi:
        """The app, made in each worker process: database connections don't survive a fork."""
        return self._make_app()


def server_options(settings: Settings) -> dict[str, Any]:
    """What gunicorn is told. Request lines are logged by the app, with ids only."""
    return {
        "bind": f"{settings.host}:{settings.port}",
        "workers": settings.web_workers,
        "worker_class": "gthread",
        "threads": _THREADS,
        "keepalive": _KEEP_ALIVE_SECONDS,
        "timeout": 60,
        "graceful_timeout": 3,
        "limit_request_line": 4094,
        "limit_request_fields": 64,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "proc_name": "tingjian-web",
        "preload_app": False,
        "worker_tmp_dir": "/dev/shm",  # a heartbeat file on a busy disk would make a worker look dead
    }


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    Server(settings, partial(create_app, settings)).run()
