"""The shapes that the API speaks, as JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

from sync import feed
from sync.accounts import LONGEST
from sync.api.changes import LONGEST_WAIT_SECONDS, MOST_EVENTS, USUAL_EVENTS
from sync.api.keys import KEY, KEY_HEADER
from sync.api.paging import CURSOR, LARGEST_PAGE, LONGEST_ID, USUAL_PAGE
from sync.api.writes.schemas import ANSWERS, BODIES
from sync.shown.changed import KINDS
from sync.shown.opinions import STATES

Json = dict[str, Any]
_KINDS = sorted(kind for kinds in KINDS.values() for kind in kinds)


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
    purpose=_text(
        "What the caller wants: 咨询 ask · 求助 be helped · 投诉 complain · 举报 report a wrong · "
        "建议 suggest · 表扬 praise",
        may_be_null=True,
    ),
    purpose_confidence={"type": ["number", "null"], "minimum": 0, "maximum": 1},
    urgency=_text("Why it should not wait", may_be_null=True),
    needs_listening={**_FLAG, "description": "The machine could not make out the words well"},
    is_practice={**_FLAG, "description": "From a practice phone; only in demo communities"},
    said_at=_MOMENT,
    text=_text("The redacted words; null until a person has approved them", may_be_null=True),
    reactions=_COUNTS,
    replies={"type": "array", "items": _REPLY},
    joined_to=_text("The feedback it was joined to, being about the same", may_be_null=True),
    voices={**_WHOLE, "description": "How many people stand behind it and what was joined to it"},
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
    ["id", "title", "text", "owner", "options", "state", "created_at", "version", "result", "updates"],
    id=_ID,
    title=_text("Its title"),
    text=_text("Its whole text"),
    spoken_title=_text("As read on the phone", may_be_null=True),
    spoken_background=_text("As read on the phone", may_be_null=True),
    owner=_text("Who alone may change it: `desk`, or a platform by its id"),
    waits_for_wording={**_FLAG, "description": "Not heard on the phone until it has spoken words"},
    rules={"type": "object", "description": "How it counts; see TopicChange"},
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
_PROGRESS = {
    **_UPDATE,
    "required": [*_UPDATE["required"], "topic_id"],
    "properties": {**_UPDATE["properties"], "topic_id": _ID},
}
_COUNTED = _record(
    "What became of everything that was given for a topic",
    ["given", "by_channel", "inside", "early", "late", "waiting", "practice", "refused"],
    given={**_WHOLE, "description": "All ballots that ever came in"},
    by_channel={**_COUNTS, "description": "The same by channel"},
    inside={**_WHOLE, "description": "Cast while the topic was open; the last one of each voter stands"},
    early={**_WHOLE, "description": "Before it opened: kept, not counted"},
    late={**_WHOLE, "description": "After it closed: kept, not counted"},
    waiting={**_WHOLE, "description": "Came in just now and will be counted soon"},
    practice={**_WHOLE, "description": "From practice phones; not counted"},
    refused={**_COUNTS, "description": "Never counted, by reason"},
)
_RESULTS = _record(
    "A topic's result and how it was counted",
    ["topic_id", "title", "state", "version", "opens_at", "closes_at", "is_final", "is_hidden", "shown_from",
     "result", "counted"],
    topic_id=_ID,
    title=_text("Its title"),
    state=_text("Where the topic stands"),
    version=_WHOLE,
    opens_at=_text("When voting begins", may_be_null=True, format="date-time"),
    closes_at=_text("When voting ends", may_be_null=True, format="date-time"),
    is_final={**_FLAG, "description": "No ballot cast from now on can count"},
    is_hidden={**_FLAG, "description": "The topic keeps its running result to itself"},
    shown_from=_text("When a hidden result will be shown; null: at the close", may_be_null=True,
                     format="date-time"),
    result={"anyOf": [{"$ref": "#/components/schemas/Result"}, {"type": "null"}]},
    counted={"anyOf": [{"$ref": "#/components/schemas/Counted"}, {"type": "null"}]},
)  # fmt: skip
_SAID = _record(
    "A sentence as somebody said it",
    ["text", "voices"],
    text=_text("The redacted words"),
    voices={**_WHOLE, "description": "How many of the opinions say the same"},
)
_GIST = _record(
    "What people say to a topic in short, of opinions whose `release` is not `none`; nothing is worded anew",
    ["topic_id", "opinions", "sentences", "phrases"],
    topic_id=_ID,
    opinions={**_WHOLE, "description": "How many were looked at: the newest that have words"},
    sentences={"type": "array", "items": _SAID, "description": "Those of the most voices first"},
    phrases={"type": "array", "items": {"type": "string"}, "description": "What it turns on, the most first"},
)
_EVENT = _record(
    "A change of one record, as a CloudEvent (1.0, JSON). The same `source` and `id` again: a repetition",
    ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
    specversion=_text("The version of CloudEvents", enum=[feed.SPEC]),
    id=_text("Of the event"),
    source=_text("This community's feed", format="uri-reference"),
    type=_text(
        f"`cn.tingjian.RECORD.ACT`; RECORD: {', '.join(_KINDS)}; ACT: created, updated, deleted; "
        "of an opinion also urgent: somebody may be in danger (its `data` holds ids and the kind, no words)"
    ),
    subject=_ID,
    time=_text("When it was changed", format="date-time"),
    datacontenttype=_text("Of `data`", enum=["application/json"]),
    data={
        "type": "object",
        "description": "The record as it is now, as the lists show it; once it is gone a tombstone with "
        "`id` and `state`: withdrawn, erased or deleted",
        "required": ["id"],
    },
)
_RESYNC = _record(
    "The way back for a reader whose cursor is gone",
    ["read", "cursor"],
    read={"type": "array", "items": {"type": "string"}, "description": "Lists to read anew, whole"},
    cursor=_text("Where to go on in the feed after that"),
)
_PROBLEM = _record(
    "problem+json (RFC 9457)",
    ["type", "title", "status", "detail"],
    type=_text("about:blank", format="uri-reference"),
    title=_text("The status in words"),
    status={"type": "integer"},
    detail=_text("What was wrong"),
    resync={"$ref": "#/components/schemas/Resync"},
)

SCHEMAS: Json = {
    "Feedback": _FEEDBACK,
    "Topic": _TOPIC,
    "Result": _RESULT,
    "Update": _UPDATE,
    "Progress": _PROGRESS,
    "Results": _RESULTS,
    "Counted": _COUNTED,
    "Gist": _GIST,
    "Event": _EVENT,
    "Resync": _RESYNC,
    "Problem": _PROBLEM,
    **BODIES,
    **ANSWERS,
}


def _query(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _key(is_required: bool) -> Json:
    return {
        "name": KEY_HEADER,
        "in": "header",
        "required": is_required,
        "description": "Made by the platform for each write, the same with every repetition of it",
        "schema": {"type": "string", "pattern": KEY},
    }


PARAMETERS: Json = {
    "limit": _query(
        "limit",
        "Records on a page",
        {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": USUAL_PAGE},
    ),
    "cursor": _query("cursor", "`next_cursor` of the page before", {"type": "string", "pattern": CURSOR}),
    "changes.limit": _query(
        "limit",
        "Events on a page at most",
        {"type": "integer", "minimum": 1, "maximum": MOST_EVENTS, "default": USUAL_EVENTS},
    ),
    "changes.cursor": _query(
        "cursor",
        "`next_cursor` of the page before; `latest`: where the feed ends; none: from the oldest event kept",
        {"type": "string", "pattern": feed.CURSOR},
    ),
    "wait": _query(
        "wait",
        "Seconds to wait for something new, where there is nothing yet",
        {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS, "default": 0},
    ),
    "state": _query("state", "Only those in this state", {"type": "string", "enum": list(STATES)}),
    "topic_id": _query("topic_id", "Only those about this", {"type": "string", "maxLength": LONGEST_ID}),
    "account": _query(
        "account",
        "Who on the platform wants to see it: some topics show a running result to those who have voted",
        {"type": "string", "maxLength": LONGEST},
    ),
    "record_id": {
        "name": "record_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "maxLength": LONGEST_ID},
    },
    "key": _key(is_required=True),
    "optional_key": _key(is_required=False),
}
