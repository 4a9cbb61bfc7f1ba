"""One write of a platform: its key, its effect, its line in the audit and its answer in one transaction."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Request, Response
from sqlalchemy.orm import Session

from sync.api.access import audit_in
from sync.api.asked import Asked
from sync.api.keys import KEY, KEY_HEADER
from sync.api.problems import Problem
from sync.api.routes import Route
from sync.idempotency import Answer, Claim, OtherRequest, UnderWay, answer_to, claim_of, held, keep_answer
from sync.waking import Queue

_REPLAYED = "Idempotency-Replayed"
_SOON = {"Retry-After": "1"}


def write(route: Route, asked: Asked, request: Request, queue: Queue | None) -> Response:
    """Do what is asked once for its key; the same key and body get the same answer again for a day.

    Nothing is kept of a call that is refused: its key may be used again. Problem 400 without a key where one
    is needed, 422 for a key used otherwise, 409 while the same call is being worked on.
    """
    claim = _claim(route, asked, request)
    with _refused_kindly(), held(claim) if claim else _alone(), asked.archive.database.begin() as session:
        before = answer_to(session, claim, asked.now) if claim else None
        answer = before or _effect(session, route, asked)
        if claim and before is None:
            keep_answer(session, claim, answer, asked.now)
        audit_in(session, asked.caller, "api.write", request.path, answer.status, asked.now)
    if queue is not None:
        for job in route.wakes:
            queue.put(job, **({"community_id": asked.caller.community_id} if job == "render" else {}))
    return _sent(answer, is_replayed=before is not None)


def _effect(session: Session, route: Route, asked: Asked) -> Answer:
    """Run the view; what it found as it will be sent. A Problem that it raises undoes all."""
    match route.view(session, asked):
        case Problem() as refusal:
            found = refusal.response()
            return Answer(refusal.status, found.mimetype or "", found.get_data())
        case Response() as found:
            return Answer(found.status_code, found.mimetype or "", found.get_data())
        case record:
            body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
            return Answer(route.status, route.media, body)


def _claim(route: Route, asked: Asked, request: Request) -> Claim | None:
    key = request.headers.get(KEY_HEADER)
    if key is None:
        if route.needs_key:
            raise Problem(400, f"send an {KEY_HEADER} of your own making, the same with every repetition")
        return None
    if re.fullmatch(KEY, key) is None:
        raise Problem(400, f"an {KEY_HEADER} has 1 to 200 visible ASCII characters")
    said = json.dumps([route.method, request.full_path, asked.body], sort_keys=True)
    return claim_of(asked.caller.id, key, said)


@contextmanager
def _refused_kindly() -> Iterator[None]:
    try:
        yield
    except UnderWay as error:
        raise Problem(409, f"{error}; try again soon", _SOON) from error
    except OtherRequest as error:
        raise Problem(422, f"{KEY_HEADER}: {error}") from error


@contextmanager
def _alone() -> Iterator[None]:
    yield


def _sent(answer: Answer, is_replayed: bool) -> Response:
    response = Response(answer.body, answer.status, mimetype=answer.media)
    response.headers["Cache-Control"] = "no-store"
    if is_replayed:
        response.headers[_REPLAYED] = "true"
    return response
