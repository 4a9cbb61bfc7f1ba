"""The API's documentation: valid as OpenAPI 3.1 for machines, whole and self-contained for people."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient

from sync.api import create_api
from sync.api.routes import ROUTES
from sync.archive import Archive


@pytest.fixture
def client(archive: Archive) -> FlaskClient:
    app = Flask("test")
    app.register_blueprint(create_api(archive))
    return app.test_client()


class Outline(HTMLParser):
    """What a page holds: its elements with their attributes, and whether every one is closed in order."""

    EMPTY = frozenset({"meta", "link", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_tells_of_every_route_and_shape_and_every_link_on_it_leads_somewhere(
    client: FlaskClient,
) -> None:
    answer = client.get("/api/v1/docs")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    page = answer.get_data(as_text=True)
    outline = Outline(page)
    ids = [attributes["id"] for _, attributes in outline.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {route.name for route in ROUTES} <= set(ids)
    assert {f"shape-{route.record}" for route in ROUTES if route.record} <= set(ids)
    for link in outline.all("a"):
        target = link["href"] or ""
        assert target[1:] in ids if target.startswith("#") else client.get(target).status_code == 200
    assert not re.search("(?<!-)None|Undefined", re.sub(r"<[^>]*>", "", page))


def test_the_page_needs_nothing_from_elsewhere_and_no_script(client: FlaskClient) -> None:
    outline = Outline(client.get("/api/v1/docs").get_data(as_text=True))
    addresses = [
        value for _, given in outline.found for name, value in given.items() if name in ("src", "href")
    ]
    assert all((address or "").startswith(("#", "/api/v1/")) for address in addresses)
    assert not outline.all("script")
    assert not [given for _, given in outline.found if "style" in given]
    sheet = client.get("/api/v1/docs.css")
    assert (sheet.status_code, sheet.mimetype) == (200, "text/css")
    assert "url(" not in sheet.get_data(as_text=True)


def test_the_page_can_be_read_aloud(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs").get_data(as_text=True)
    outline = Outline(page)
    assert outline.all("html") == [{"lang": "en"}]
    assert {"lang": "zh"} in outline.all("p")
    assert len(outline.all("h1")) == len(outline.all("main")) == len(outline.all("title")) == 1
    assert len(outline.all("table")) == len(outline.all("caption"))
    assert all("scope" in heading for heading in outline.all("th"))
    levels = [int(tag[1]) for tag, _ in outline.found if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_document_is_openapi(client: FlaskClient) -> None:
    """Held against the rules of OpenAPI 3.1 that tools rely on; every shape is a valid schema."""
    document = client.get("/api/v1/openapi.json").get_json()
    jsonschema_rs.validator_for(OPENAPI).validate(document)
    operations = [one for path in document["paths"].values() for one in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for path, methods in document["paths"].items():
        for operation in methods.values():
            wanted = set(re.findall(r"{(\w+)}", path))
            keys = [one["$ref"].rpartition("/")[2] for one in operation.get("parameters", [])]
            found = [document["components"]["parameters"][key] for key in keys]
            assert {one["name"] for one in found if one["in"] == "path"} == wanted
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema)
        assert re.fullmatch(r"[a-zA-Z0-9._-]+", name)


_REFERENCE = {"type": "object", "required": ["$ref"], "properties": {"$ref": {"type": "string"}}}
_MEDIA = {"type": "object", "additionalProperties": {"type": "object"}}
OPENAPI = {
    "type": "object",
    "required": ["openapi", "info", "paths", "components"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"]},
        "paths": {
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "propertyNames": {"enum": ["get", "post", "put", "patch", "delete"]},
                "additionalProperties": {"$ref": "#/$defs/operation"},
            },
        },
        "components": {
            "properties": {
                "parameters": {"additionalProperties": {"$ref": "#/$defs/parameter"}},
                "responses": {"additionalProperties": {"$ref": "#/$defs/response"}},
            }
        },
    },
    "$defs": {
        "operation": {
            "required": ["operationId", "responses"],
            "properties": {
                "parameters": {"type": "array", "items": _REFERENCE, "uniqueItems": True},
                "requestBody": {"type": "object", "required": ["content"]},
                "responses": {
                    "minProperties": 1,
                    "propertyNames": {"pattern": r"^[1-5]\d\d$"},
                    "additionalProperties": {"anyOf": [_REFERENCE, {"$ref": "#/$defs/response"}]},
                },
            },
        },
        "parameter": {
            "required": ["name", "in", "schema"],
            "properties": {"in": {"enum": ["query", "path", "header"]}},
            "if": {"properties": {"in": {"const": "path"}}},
            "then": {"required": ["required"], "properties": {"required": {"const": True}}},
        },
        "response": {"required": ["description"], "properties": {"content": _MEDIA}},
    },
}
