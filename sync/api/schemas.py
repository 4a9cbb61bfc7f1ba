"""The shapes that the API speaks, as JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

from sync.api.feedback import LONGEST_ID, STATES
from sync.api.paging import CURSOR, LARGEST_PAGE, USUAL_PAGE

Json = dict[str, Any]


def _record(description: str, required: list[str], **properties: Json) -> Json:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def _text(description: str, *, may_be_null: bool = False, **more: Any) -> Json:
    return {
        "type": ["string", "null"] if may_be_null else "string",
        "description": description,
        **more,
    }


_ID = _text("Stable id", maxLength=40)
_MOMENT = _text("A moment in UTC", format="date-time")
_FLAG: Json = {"type": "boolean"}
_WHOLE: Json = {"type": "integer", "minimum": 0}
_COUNTS: Json = {
    "type": "object",
    "description": "How many chose each: `agree`, `disagree`, `pass`, or an option's name",
    "additionalProperties": _WHOLE,
}
_REPLY = _record(
    "A public answer of the community",
    ["id", "text", "published_at"],
    id=_ID,
    text=_text("What was answered"),
    published_at=_MOMENT,
)
_FEEDBACK = _record(
    "An opinion, or a message to the community; a tombstone has only `id`, `state` and `version`",
    ["id", "state", "version"],
    id=_ID,
    kind=_text("`opinion` or `message`"),
    topic_id=_text("The topic it is about", may_be_null=True),
    state=_text("Where it stands", enum=list(STATES)),
    stage=_text("received · assigned · answered · settled · reopened"),
    channel=_text("How it came: phone, web, paper"),
    evidence=_text("How well the voice is tied to a person: none · caller_id · roster · attested · linked"),
    release=_text("How neighbours may hear it: none · words · voice"),
    category=_text("What it is about", may_be_null=True),
    category_confidence={"type": ["number", "null"], "minimum": 0, "maximum": 1},
    urgency=_text("Why it should not wait", may_be_null=True),
    needs_listening={**_FLAG, "description": "The machine could not make out the words well"},
    is_practice={**_FLAG, "description": "From a practice phone; only in demo communities"},
    said_at=_MOMENT,
    text=_text("The redacted words; null until a person has approved them", may_be_null=True),
    reactions=_COUNTS,
    replies={"type": "array", "items": _REPLY},
    version={**_WHOLE, "description": "Grows with every change"},
)
_RESULT = _record(
    "What a topic counts to; null while results are hidden",
    ["counts", "choices", "voters", "evidence", "channels", "practice", "replaced", "early", "late"],
    counts=_text("What is counted", enum=["persons", "households"]),
    choices=_COUNTS,
    voters={**_WHOLE, "description": "How many have a standing ballot"},
    evidence={**_COUNTS, "description": "How many of the voters have which evidence"},
    channels={**_COUNTS, "description": "How many of the voters came on which channel"},
    practice={**_WHOLE, "description": "How many of the voters are practice; only in demo communities"},
    replaced={**_WHOLE, "description": "Earlier ballots of the same voters"},
    early={**_WHOLE, "description": "Ballots before the window: kept, not counted"},
    late={**_WHOLE, "description": "Ballots after the window: kept, not counted"},
    electorate=_text("Who may vote, in words", may_be_null=True),
    electorate_size={"type": ["integer", "null"], "minimum": 0},
    quorum={"type": ["integer", "null"], "minimum": 0, "description": "How many voters are asked for"},
    is_quorate={"type": ["boolean", "null"], "description": "Whether enough have voted; null without quorum"},
)
_TOPIC = _record(
    "What is discussed",
    ["id", "title", "text", "options", "state", "created_at", "version", "result", "updates"],
    id=_ID,
    title=_text("Its title"),
    text=_text("Its whole text"),
    spoken_title=_text("As read on the phone", may_be_null=True),
    spoken_background=_text("As read on the phone", may_be_null=True),
    options={
        "type": "array",
        "description": "[choice, label] pairs; empty: agree, disagree, pass",
        "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
    },
    state=_text("Where it stands", enum=["draft", "open", "paused", "closed", "decided"]),
    opens_at=_text("When voting begins", may_be_null=True, format="date-time"),
    closes_at=_text("When voting ends", may_be_null=True, format="date-time"),
    decision=_text("What was decided", may_be_null=True),
    created_at=_MOMENT,
    version=_WHOLE,
    result={"anyOf": [{"$ref": "#/components/schemas/Result"}, {"type": "null"}]},
    updates={"type": "array", "items": {"$ref": "#/components/schemas/Update"}},
)
_UPDATE = _record(
    "What became of a topic",
    ["id", "stage", "text", "published_at"],
    id=_ID,
    stage=_text("The stage reached"),
    text=_text("The whole text"),
    published_at=_MOMENT,
)
_PROBLEM = _record(
    "problem+json (RFC 9457)",
    ["type", "title", "status", "detail"],
    type=_text("about:blank", format="uri-reference"),
    title=_text("The status in words"),
    status={"type": "integer"},
    detail=_text("What was wrong"),
)

SCHEMAS: Json = {
    "Feedback": _FEEDBACK,
    "Topic": _TOPIC,
    "Result": _RESULT,
    "Update": _UPDATE,
    "Problem": _PROBLEM,
}


def _query(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


PARAMETERS: Json = {
    "limit": _query(
        "limit",
        "Records on a page",
        {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": USUAL_PAGE},
    ),
    "cursor": _query("cursor", "`next_cursor` of the page before", {"type": "string", "pattern": CURSOR}),
    "state": _query("state", "Only those in this state", {"type": "string", "enum": list(STATES)}),
    "topic_id": _query("topic_id", "Only those about this", {"type": "string", "maxLength": LONGEST_ID}),
    "record_id": {
        "name": "record_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "maxLength": LONGEST_ID},
    },
}
