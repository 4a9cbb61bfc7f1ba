"""A desk to test at: the joined app over a fresh archive with the demo, and a browser without a screen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from admin.app import create_app
from admin.demo.seed import Account, seed
from admin.parts import open_archive
from admin.settings import Settings
from sync.archive import Archive

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass
class Desk:
    """The app, its archive, the demo's account."""

    app: Flask
    archive: Archive
    account: Account
    settings: Settings

    def browser(self) -> Browser:
        """A visitor who is not signed in."""
        return Browser(self.app.test_client())

    def signed_in(self) -> Browser:
        """Somebody signed in as the demo's administrator."""
        browser = self.browser()
        assert browser.sign_in(self.account.name, self.account.password).status_code == 302
        return browser


@dataclass
class Browser:
    """Gets pages and sends their forms with the token in them."""

    client: FlaskClient

    def get(self, path: str, **options: object) -> TestResponse:
        """The answer to a GET."""
        return self.client.get(path, **options)  # type: ignore[arg-type]

    def send(self, page: str, path: str, **fields: str) -> TestResponse:
        """Send a form of `page` to `path`."""
        token = _TOKEN.search(self.client.get(page).get_data(as_text=True))
        assert token, f"{page} holds no form"
        return self.client.post(path, data={"csrf_token": token[1], **fields})

    def sign_in(self, name: str, password: str) -> TestResponse:
        """Try to sign in."""
        return self.send("/desk/sign-in", "/desk/sign-in", name=name, password=password)


def open_desk(home: Path, **environment: str) -> Desk:
    """A desk over a fresh archive with the demo community, on SQLite unless `DATABASE_URL` says otherwise."""
    settings = Settings.from_environment({"TINGJIAN_HOME": str(home), **environment})
    archive = open_archive(settings)
    archive.database.create()
    account = seed(archive, settings.home)
    assert account is not None
    return Desk(create_app(settings, archive), archive, account, settings)
