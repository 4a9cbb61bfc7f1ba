"""The door for online platforms: `/api/v1`, open with a key, answered in JSON, refused with problem+json."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import MapAdapter

from sync.api.access import CALLS_A_MINUTE, Pace, audit, demand, recognise, status_of
from sync.api.asked import Asked
from sync.api.bodies import LARGEST_BODY, body_of
from sync.api.document import document
from sync.api.paging import LONGEST_ID
from sync.api.problems import Problem, problem
from sync.api.readable import page, style
from sync.api.routes import ROUTES, Route
from sync.api.writing import write
from sync.archive import Archive
from sync.errors import RecordsUnavailable
from sync.waking import Queue

__all__ = ["create_api"]

LOG = logging.getLogger("tingjian.api")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"]
_PATIENCE = {"Retry-After": "5"}
_LARGEST = {route.name: route.largest for route in ROUTES}


def create_api(
    archive: Archive,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    calls_a_minute: int = CALLS_A_MINUTE,
    queue: Queue | None = None,
) -> Blueprint:
    """The blueprint `api` under `/api`. `openapi.json` and `docs` are public; all else asks for a key.

    `queue` is woken after a write; without it workers find what was written by themselves, a little later.
    """
    api = Blueprint("api", __name__, url_prefix="/api")
    pace = Pace(calls_a_minute)
    for route in ROUTES:
        _add(api, route.path, route.name, _guarded(archive, clock, pace, route, queue), route.method)
    _add(api, "/v1/openapi.json", "openapi", lambda: jsonify(document()))
    _add(api, "/v1/docs", "docs", page)
    _add(api, "/v1/docs.css", "docs_style", style)
    api.add_url_rule("/", "nothing_here", _nothing_here, methods=_METHODS)
    api.add_url_rule("/<path:rest>", "nothing_here", _nothing_here, methods=_METHODS)
    api.before_request(_bound_body)
    _handle_errors(api)
    return api


def _add(api: Blueprint, path: str, name: str, view: Callable[..., Response], method: str = "GET") -> None:
    """OPTIONS is left to `_nothing_here`: Flask would list the methods of that one too."""
    api.add_url_rule(path, name, view, methods=[method], provide_automatic_options=False)


def _guarded(
    archive: Archive, clock: Callable[[], datetime], pace: Pace, route: Route, queue: Queue | None
) -> Callable[..., Response]:
    def answer(record_id: str = "") -> Response:
        now = clock()
        caller = recognise(archive, request, now)
        act, subject = "api.write" if route.writes else "api.read", request.path
        try:
            pace.check(caller.id)
            demand(caller, route.scope)
            _know_arguments(route, record_id)
            body = body_of(request, route.body) if route.body else None
            asked = Asked(archive, caller, request.args, record_id, body, now)
            if route.writes:
                return write(route, asked, request, queue)
            if route.waits is not None:
                route.waits(asked)
            found = _look(route, asked)
        except RecordsUnavailable:
            raise  # the audit is away with them: waiting for it once more helps nobody
        except Exception as error:
            audit(archive, caller, act, subject, status_of(error), now)
            raise
        audit(archive, caller, act, subject, found.status_code, now)
        return found

    return answer


def _look(route: Route, asked: Asked) -> Response:
    """Run the view on one snapshot; what it found as an answer."""
    with asked.archive.database.read() as session:
        found = route.view(session, asked)
    match found:
        case Problem():
            return found.response()
        case Response():
            return found
        case _:
            return _fresh(jsonify(found))


def _fresh(answer: Response) -> Response:
    """The answer with its ETag; 304 where the platform has it already."""
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Authorization"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _know_arguments(route: Route, record_id: str) -> None:
    if "\x00" in record_id or len(record_id) > LONGEST_ID:
        raise Problem(404, "there is nothing of this id")
    for name in request.args:
        if name not in route.arguments:
            raise Problem(422, f"there is no parameter {name[:40]}")
        if "\x00" in request.args[name] or len(request.args[name]) > 400:
            raise Problem(422, f"{name} is not a value we know")


def _bound_body() -> None:
    most = _LARGEST.get((request.endpoint or "").removeprefix("api."), LARGEST_BODY)
    request.max_content_length = most
    if (request.content_length or 0) > most:
        raise Problem(413, f"a body has at most {most} bytes")


def _nothing_here(rest: str = "") -> Response:
    """Answers here rather than in the app, whose own pages for such errors are for people."""
    adapter = current_app.url_map.bind("")
    methods = [method for method in _METHODS if _is_something(adapter, method)]
    if not methods:
        raise Problem(404, "there is nothing at this address")
    heads = ["HEAD"] if "GET" in methods else []
    allowed = {"Allow": ", ".join([*methods[:1], *heads, *methods[1:], "OPTIONS"])}
    if request.method == "OPTIONS":
        return Response(status=204, headers=allowed)
    raise Problem(405, f"{request.method} is not possible here", allowed)


def _is_something(adapter: MapAdapter, method: str) -> bool:
    """Whether another rule than the one for nothing takes this method at the request's path."""
    try:
        endpoint, _ = adapter.match(request.path, method=method)
    except (NotFound, MethodNotAllowed):
        return False
    return not str(endpoint).endswith("nothing_here")


def _handle_errors(api: Blueprint) -> None:
    @api.errorhandler(Problem)
    def refused(error: Problem) -> Response:
        return error.response()

    @api.errorhandler(HTTPException)
    def misspoken(error: HTTPException) -> Response:
        return problem(error.code or 500, error.description or error.name)

    @api.errorhandler(RecordsUnavailable)
    def away(error: RecordsUnavailable) -> Response:
        LOG.error("the records are away: %s", error)
        return problem(503, "the records can't be used just now; try again soon", _PATIENCE)

    @api.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        LOG.exception("an API call failed") if current_app.debug else LOG.error("%s", type(error).__name__)
        return problem(500, "something went wrong on our side; it has been logged")
