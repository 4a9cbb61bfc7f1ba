"""The OpenAPI 3.1 document, made from the table of routes and the schemas of what they answer with."""

from __future__ import annotations

from functools import cache

from sync.api.asked import Json
from sync.api.paging import LARGEST_PAGE, USUAL_PAGE
from sync.api.routes import ROUTES, Route
from sync.api.schemas import PARAMETERS, SCHEMAS
from sync.platforms import SCOPES

_JSON = "application/json"
_REFUSALS = {
    "400": "A cursor that is not one of ours, a body that is not JSON, or no Idempotency-Key",
    "401": "No key, or an unknown or expired one",
    "403": "A key without the scope",
    "404": "Nothing of this id in the platform's community",
    "409": "At odds with the records, so nothing was kept; with Retry-After only for now",
    "410": "What follows this cursor is no longer known; `resync` says where to begin again",
    "413": "A body that is too large",
    "415": "A body of another type than JSON",
    "422": "A parameter, or a field of the body, that makes no sense",
    "429": "Too many calls in one minute; see Retry-After",
    "500": "A fault of ours",
    "503": "The records can't be used just now; see Retry-After",
}


@cache
def document() -> Json:
    """The whole document, as plain JSON."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tingjian for platforms",
            "version": "1",
            "summary": "A community's topics and feedback from phone and web, each voice counted once.",
            "license": {"name": "MIT", "identifier": "MIT"},
            "description": _DESCRIPTION,
        },
        "servers": [{"url": "/api"}],
        "security": [{"key": []}],
        "tags": [{"name": tag} for tag in sorted({_tag(route) for route in ROUTES})],
        "paths": _paths() | _OWN_PATH,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _SCOPES}},
            "schemas": SCHEMAS | _pages(),
            "parameters": PARAMETERS,
            "responses": {f"Problem{status}": _refusal(text) for status, text in _REFUSALS.items()},
        },
    }


_DESCRIPTION = (
    "Times are UTC in ISO 8601. Ids are stable. A page holds at most "
    f"{LARGEST_PAGE} records ({USUAL_PAGE} unless asked otherwise); `next_cursor` leads to the next. "
    "Send `If-None-Match` with the ETag you have and get 304 while nothing has changed. "
    "What somebody took back stays as a tombstone, `withdrawn` or `erased`: delete your copy. "
    "A write carries an `Idempotency-Key`: sent again with the same body within a day it changes nothing "
    "and gets the same answer, byte for byte. What is answered with 2xx is kept; what is refused is not."
)
_SCOPES = "Scopes: " + "; ".join(f"`{name}`: {meaning}" for name, meaning in SCOPES.items())


def _public(operation_id: str, summary: str, media: str, kind: str) -> Json:
    """A path that needs no key."""
    content = {media: {"schema": {"type": kind}}}
    answers = {"200": {"description": summary, "content": content}}
    return {
        "get": {"operationId": operation_id, "summary": summary, "security": [], "responses": answers},
    }


_OWN_PATH: Json = {
    "/v1/openapi.json": _public("openapi", "This document (OpenAPI 3.1)", "application/json", "object"),
    "/v1/docs": _public("docs", "The same for people to read", "text/html", "string"),
    "/v1/docs.css": _public("docs_style", "How that page looks", "text/css", "string"),
}


def _paths() -> Json:
    paths: Json = {}
    for route in ROUTES:
        paths.setdefault(_template(route), {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> Json:
    statuses = [status for status in _REFUSALS if _may_answer(route, status)]
    names = _named(route)
    operation = {
        "operationId": route.name,
        "tags": [_tag(route)],
        "summary": route.summary,
        "description": f"Needs the scope `{route.scope}`.",
        "parameters": [{"$ref": f"#/components/parameters/{_parameter(route, name)}"} for name in names],
        "responses": _answers(route)
        | {status: {"$ref": f"#/components/responses/Problem{status}"} for status in statuses},
    }
    return operation | ({"requestBody": _body(route.body)} if route.body else {})


def _named(route: Route) -> tuple[str, ...]:
    """The parameters of a route."""
    in_path = ("record_id",) if _has_id(route) else ()
    key = "key" if route.needs_key else "optional_key"
    return in_path + route.arguments + ((key,) if route.writes else ())


def _answers(route: Route) -> Json:
    schema = {"$ref": f"#/components/schemas/{route.record}{'Page' if route.is_list else ''}"}
    content = {route.media: {"schema": schema} if route.media == _JSON else {}}
    answer: Json = {"description": route.summary, "content": content}
    if route.writes:
        return {str(route.status): answer}
    answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return {
        str(route.status): answer,
        "304": {"description": "Nothing has changed since the ETag in If-None-Match"},
    }


def _body(schema: str) -> Json:
    return {"required": True, "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _may_answer(route: Route, status: str) -> bool:
    """Whether a route can refuse with this status."""
    is_about_one = _has_id(route) or bool(route.body)
    may = {"400": route.is_list or route.writes, "404": is_about_one, "415": bool(route.body)}
    may |= {"410": route.name == "changes", "409": route.writes or route.media != _JSON}
    return may.get(status, status != "409" or route.writes)


def _parameter(route: Route, name: str) -> str:
    """A parameter may mean something of its own on one route."""
    own = f"{route.name}.{name}"
    return own if own in PARAMETERS else name


def _has_id(route: Route) -> bool:
    return "<record_id>" in route.path


def _tag(route: Route) -> str:
    return route.path.split("/")[2]


def _template(route: Route) -> str:
    return route.path.replace("<", "{").replace(">", "}")


def _pages() -> Json:
    return {f"{route.record}Page": _page(route.record) for route in ROUTES if route.is_list}


def _page(name: str) -> Json:
    return {
        "type": "object",
        "required": ["items", "has_more", "next_cursor"],
        "additionalProperties": False,
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": ["string", "null"]},
        },
    }


def _refusal(description: str) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
