"""What a platform sends: JSON within bounds, held against the schemas that the OpenAPI document shows."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NoReturn

from flask import Request
from jsonschema_rs import Draft202012Validator, ValidationError

from sync.api.asked import Json
from sync.api.problems import Problem
from sync.api.schemas import SCHEMAS

LARGEST_BODY = 64 * 1024  # bytes, unless a route says otherwise
_LONGEST_DETAIL = 300
_JSON = "application/json"


def body_of(request: Request, schema: str) -> Json:
    """The request's body. Problem 415 by its type, 400 unless it is JSON, 422 unless it fits the schema."""
    if request.mimetype != _JSON:
        raise Problem(415, f"send the body as {_JSON}")
    body = _parse(request.get_data())
    _refuse_unwritable(body)
    try:
        found = next(_validator(schema).iter_errors(body), None)
    except (ValueError, RecursionError) as error:  # deeper than any shape of ours
        raise Problem(422, "the body is of no shape we know") from error
    if found:
        raise Problem(422, _in_words(found))
    return dict(body)


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, too
        raise Problem(400, "the body is not JSON in UTF-8") from error


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


@cache
def _validator(schema: str) -> Draft202012Validator:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": SCHEMAS}}
    return Draft202012Validator(whole, validate_formats=True, mask="the value")


def _in_words(error: ValidationError) -> str:
    place = ".".join(str(step) for step in error.instance_path) or "the body"
    return f"{place}: {error.message}"[:_LONGEST_DETAIL]


def _refuse_unwritable(body: Any) -> None:
    """Problem 422 for text that no database keeps: a NUL, half a surrogate pair."""
    parts = [("", body)]
    while parts:
        place, part = parts.pop()
        match part:
            case str() if "\x00" in part or not _is_whole(part):
                raise Problem(422, f"{place or 'the body'}: not text that can be kept")
            case list():
                parts += [(f"{place}.{n}".lstrip("."), one) for n, one in enumerate(part)]
            case dict():
                parts += [(place, name) for name in part]
                parts += [(f"{place}.{name}".lstrip("."), one) for name, one in part.items()]


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
