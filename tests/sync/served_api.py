"""The real API on a real port of loopback, behind a wire that may fail before or after a call has worked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from sync.api import create_api
from sync.archive import Archive
from sync.platforms import SCOPES, add_platform
from sync.records.tables import Community

App = Callable[..., Iterable[bytes]]


@dataclass
class Served:
    """Where the API is, and a key for all scopes.

    `moods` are had first, one a request: `lost` (it worked, but the answer never arrives), or a status with
    its Retry-After. `seen` is every request with the status that was answered.
    """

    archive: Archive
    base: str
    key: str
    platform_id: str
    moods: list[str | tuple[str, str]] = field(default_factory=list)
    seen: list[tuple[str, str, int]] = field(default_factory=list)

    def wired(self, app: App) -> App:
        """The application behind this wire."""

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            asked = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            mood = self.moods.pop(0) if self.moods else ""
            if isinstance(mood, tuple):
                self.seen.append((*asked, int(mood[0][:3])))
                start_response(mood[0], [("Retry-After", mood[1])] if mood[1] else [])
                return []

            def started(status: str, headers: Any, *more: Any) -> Any:
                self.seen.append((*asked, int(status[:3])))
                return start_response(status, headers, *more)

            found = list(app(environ, started))
            if mood == "lost":
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return found

        return answer


@pytest.fixture
def served(archive: Archive, community: Community) -> Iterator[Served]:
    """The API of the SQLite archive."""
    with archive.database.begin() as session:
        platform, key = add_platform(session, community.id, "线上", SCOPES)
    found = Served(archive, "", key, platform.id)
    app = Flask(__name__)
    app.register_blueprint(create_api(archive))
    app.wsgi_app = found.wired(app.wsgi_app)  # type: ignore[method-assign]
    server = make_server("127.0.0.1", 0, app, threaded=True)
    found.base = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join(5)
