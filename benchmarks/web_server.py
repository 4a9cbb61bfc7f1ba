"""The web process as production runs it, and a bare Flask route on the same server and database."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication
from sqlalchemy import Column, Integer, MetaData, Table, Text
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from admin.app import create_app
from admin.serve import server_options
from admin.settings import Settings
from sync.archive import Archive

BARE = Table("bare", MetaData(), Column("id", Integer, primary_key=True), Column("body", Text))
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def bare_app(archive: Archive, documents: list[str]) -> Flask:
    """One route: commits one row, then returns the bytes that ours returned at the same point of the call."""
    app = Flask("bare")

    @app.post("/<int:n>")
    def bare(n: int) -> Response:
        with archive.database.engine.begin() as connection:
            connection.execute(BARE.insert(), {"body": request.form["CallSid"]})
        return Response(documents[n % len(documents)], mimetype="text/xml")

    return app


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with production's options."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in server_options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Wsgi:
        archive = Archive.open(self._settings.database_url, self._settings.home)
        documents = json.loads((self._settings.home / "documents.json").read_text())
        app: Any = create_app(self._settings, archive)
        return DispatcherMiddleware(app, {"/bare": bare_app(archive, documents)})


if __name__ == "__main__":
    sys.exit(_Server(Settings.from_environment(os.environ)).run())
