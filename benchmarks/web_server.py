"""The web process as production runs it, and a bare Flask route on the same server and database."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import Any

from flask import Flask, Response, request
from sqlalchemy import Column, Integer, MetaData, Table, Text
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from admin.app import create_app
from admin.serve import Server, Wsgi
from admin.settings import Settings
from sync.archive import Archive

BARE = Table("bare", MetaData(), Column("id", Integer, primary_key=True), Column("body", Text))


def bare_app(archive: Archive, documents: list[str]) -> Flask:
    """One route: commits one row, then returns the bytes that ours returned at the same point of the call."""
    app = Flask("bare")

    @app.post("/<int:n>")
    def bare(n: int) -> Response:
        with archive.database.engine.begin() as connection:
            connection.execute(BARE.insert(), {"body": request.form["CallSid"]})
        return Response(documents[n % len(documents)], mimetype="text/xml")

    return app


def make_app(settings: Settings) -> Wsgi:
    """Our app, and the bare route under `/bare`, on one database."""
    archive = Archive.open(settings.database_url, settings.home)
    documents = json.loads((settings.home / "documents.json").read_text())
    app: Any = create_app(settings, archive)
    return DispatcherMiddleware(app, {"/bare": bare_app(archive, documents)})


if __name__ == "__main__":
    settings = Settings.from_environment(os.environ)
    Server(settings, partial(make_app, settings)).run()
