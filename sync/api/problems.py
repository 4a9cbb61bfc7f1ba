"""What goes wrong over the API, said as problem+json (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response


class Problem(Exception):
    """One refusal: its status, what was wrong in a sentence, headers and members that belong to it."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers, more

    def response(self) -> Response:
        """The refusal as an answer."""
        return problem(self.status, self.detail, self.headers, self.more)


def problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """An `application/problem+json` answer."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(more or {}),
    }
    answer = Response(json.dumps(body), status, mimetype="application/problem+json")
    answer.headers.update(dict(headers or {}))
    answer.headers["Cache-Control"] = "no-store"
    return answer
