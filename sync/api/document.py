"""The OpenAPI 3.1 document, made from the table of routes and the schemas of what they answer with."""

from __future__ import annotations

from functools import cache
from typing import Any

from sync.api.paging import LARGEST_PAGE, USUAL_PAGE
from sync.api.routes import ROUTES, Route
from sync.api.schemas import PARAMETERS, SCHEMAS
from sync.platforms import SCOPES

Json = dict[str, Any]

_REFUSALS = {
    "400": "A cursor that is not one of ours",
    "401": "No key, or an unknown or expired one",
    "403": "A key without the scope",
    "404": "Nothing of this id in the platform's community",
    "413": "A body that is too large",
    "422": "A parameter that makes no sense",
    "429": "Too many calls in one minute; see Retry-After",
    "500": "A fault of ours",
    "503": "The records can't be read just now; see Retry-After",
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
        "tags": [{"name": "feedback"}, {"name": "topics"}],
        "paths": {_template(route): {"get": _operation(route)} for route in ROUTES} | _OWN_PATH,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": _SCOPES}},
            "schemas": SCHEMAS | {f"{name}Page": _page(name) for name in ("Feedback", "Topic")},
            "parameters": PARAMETERS,
            "responses": {f"Problem{status}": _refusal(text) for status, text in _REFUSALS.items()},
        },
    }


_DESCRIPTION = (
    "Times are UTC in ISO 8601. Ids are stable. A page holds at most "
    f"{LARGEST_PAGE} records ({USUAL_PAGE} unless asked otherwise); `next_cursor` leads to the next. "
    "Send `If-None-Match` with the ETag you have and get 304 while nothing has changed. "
    "What somebody took back stays as a tombstone, `withdrawn` or `erased`: delete your copy."
)
_SCOPES = "Scopes: " + "; ".join(f"`{name}`: {meaning}" for name, meaning in SCOPES.items())
_OWN_PATH: Json = {
    "/v1/openapi.json": {
        "get": {
            "operationId": "openapi",
            "summary": "This document",
            "security": [],
            "responses": {
                "200": {
                    "description": "OpenAPI 3.1",
                    "content": {"application/json": {"schema": {"type": "object"}}},
                }
            },
        }
    }
}


def _operation(route: Route) -> Json:
    schema = f"{route.record}Page" if route.is_list else route.record
    statuses = [status for status in _REFUSALS if _may_answer(route, status)]
    names = route.arguments if route.is_list else ("record_id",)
    return {
        "operationId": route.name,
        "tags": [route.path.split("/")[2]],
        "summary": route.summary,
        "description": f"Needs the scope `{route.scope}`.",
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names],
        "responses": {
            "200": {
                "description": route.summary,
                "headers": {"ETag": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
            },
            "304": {"description": "Nothing has changed since the ETag in If-None-Match"},
        }
        | {status: {"$ref": f"#/components/responses/Problem{status}"} for status in statuses},
    }


def _may_answer(route: Route, status: str) -> bool:
    """A list never misses a record, and only a list has a cursor."""
    return {"400": route.is_list, "404": not route.is_list}.get(status, True)


def _template(route: Route) -> str:
    return route.path.replace("<", "{").replace(">", "}")


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
