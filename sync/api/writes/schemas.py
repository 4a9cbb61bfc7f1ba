"""The shapes that platforms send, and what short answers to a write look like; JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

from sync.accounts import LONGEST, MOST_SEATS
from sync.api.writes.ballots import MOST_BALLOTS
from sync.wording import LONGEST_SPOKEN, LONGEST_TITLE

Json = dict[str, Any]

_NUL, _CONTROL = r"\x00", r"\x00-\x1f\x7f-\x9f"
LONGEST_WORDS = 2000  # of feedback: as much as eight minutes of speech
LONGEST_TEXT = 5000
_MOST_OPTIONS = 4  # keys that a caller keeps in mind
_MOST_PEOPLE = 10_000_000


def _object(description: str, required: list[str], **properties: Json) -> Json:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def _words(longest: int, description: str, no: str = _CONTROL) -> Json:
    """One line of text of which something is left without its spaces."""
    return {
        "type": "string",
        "description": description,
        "minLength": 1,
        "maxLength": longest,
        "pattern": rf"^[^{no}]*[^\s{no}][^{no}]*$",
    }


def _text(longest: int, description: str) -> Json:
    """The same with as many lines as one likes."""
    return _words(longest, description, no=_NUL)


def _one_of(description: str, *words: str) -> Json:
    return {"type": "string", "enum": list(words), "description": description}


def _or_null(schema: Json) -> Json:
    return schema | {"type": [schema["type"], "null"]}


# Both look like RFC 3339; what follows leaves out days that don't exist and leap seconds, which no clock
# of ours can say.
_DAY = (
    r"(20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)"
)
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_OWN_ID: Json = {
    "type": "string",
    "pattern": "^[!-~]{1,100}$",
    "description": "The platform's own id, sent again with every repetition; never a name or a number",
}
_MOMENT: Json = {
    "type": "string",
    "pattern": f"^{_DAY}T{_TIME}$",
    "description": "A moment of the years 2000 to 2099 with its offset from UTC (RFC 3339)",
}
_GIVEN_AT = _MOMENT | {"description": "When; now if absent. At most two minutes ahead of our clock"}
_VOICE = _object(
    "Whose voice it is",
    ["account"],
    account={
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST,
        "pattern": rf"^[^{_NUL}]+$",
        "description": "The account on the platform; kept only as a keyed hash",
    },
    number={
        "type": "string",
        "pattern": r"^\+[1-9][0-9]{6,14}$",
        "description": "Its verified telephone number (E.164); needs the scope `numbers:attest`",
    },
    seat={"type": "integer", "minimum": 1, "maximum": MOST_SEATS, "description": "Who of that number"},
    household=_words(100, "The home on the roster by its reference; needs the scope `numbers:attest`"),
)
_OPTIONS: Json = {
    "type": "array",
    "description": "[choice, spoken label] pairs, none or two to four; none: agree, disagree, pass",
    "maxItems": _MOST_OPTIONS,
    "items": {
        "type": "array",
        "items": _words(LONGEST_TITLE, "A choice, or how it is read out"),
        "minItems": 2,
        "maxItems": 2,
    },
    "anyOf": [{"maxItems": 0}, {"minItems": 2}],
}
_RULES = _object(
    "How a topic counts; null takes a rule away",
    [],
    counts=_one_of("Who has one ballot", "persons", "households"),
    electorate=_or_null(_words(200, "Who may vote, in words")),
    electorate_size={"type": ["integer", "null"], "minimum": 1, "maximum": _MOST_PEOPLE},
    quorum={
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": _MOST_PEOPLE,
        "description": "Voters asked for; below 1 a share of the electorate",
    },
    channel_rank={
        "type": "array",
        "description": "Channels from the weakest to the strongest: who wins between ballots of one moment",
        "items": _one_of("A channel", "phone", "web", "paper"),
        "uniqueItems": True,
    },
    paper_outranks={"type": "boolean", "description": "A paper ballot stands whenever it was cast"},
    results=_one_of("From when the result is told", "open", "closed", "voted"),
    named={"type": "boolean", "description": "Voting by name; otherwise nobody's choice is told"},
)
_TOPIC: dict[str, Json] = {
    "title": _words(200, "Its title"),
    "text": _text(LONGEST_TEXT, "Its whole text"),
    "spoken_title": _words(LONGEST_TITLE, "As read on the phone; without it staff word it first"),
    "spoken_background": _words(LONGEST_SPOKEN, "As read on the phone; without it staff word it first"),
    "options": _OPTIONS,
    "opens_at": _or_null(_MOMENT),
    "closes_at": _or_null(_MOMENT),
    "rules": _RULES,
}
_BALLOT = _object(
    "One ballot",
    ["id", "voice", "choice"],
    id=_OWN_ID,
    voice={"$ref": "#/components/schemas/Voice"},
    choice=_words(40, "`agree`, `disagree`, `pass`, or an option's name"),
    cast_at=_GIVEN_AT,
)
_COUNT: Json = {"type": "integer", "minimum": 0}

BODIES: Json = {
    "Voice": _VOICE,
    "NewTopic": _object(
        "A topic to discuss",
        ["title", "text"],
        **_TOPIC,
        state=_one_of("Where it begins", "open", "paused"),
    ),
    "TopicChange": _object(
        "What is to be other than before",
        [],
        **_TOPIC,
        state=_one_of("Where it stands", "open", "paused", "closed", "decided"),
        decision=_words(LONGEST_SPOKEN, "What was decided, as read on the phone"),
    )
    | {"minProperties": 1},
    "NewUpdate": _object(
        "What became of a topic",
        ["stage", "text"],
        stage=_words(40, "The stage reached"),
        text=_text(LONGEST_TEXT, "The whole text"),
        spoken=_words(LONGEST_SPOKEN, "As read on the phone; without it staff word it first"),
    ),
    "NewFeedback": _object(
        "What somebody wrote",
        ["id", "voice", "text"],
        id=_OWN_ID,
        voice={"$ref": "#/components/schemas/Voice"},
        kind=_one_of("On a topic, or to the community", "opinion", "message"),
        topic_id=_words(40, "The topic it is about"),
        text=_text(LONGEST_WORDS, "The words; read by people before anybody else sees them"),
        said_at=_GIVEN_AT,
        release=_one_of("Whether neighbours may hear the words on the phone", "none", "words"),
    ),
    "Withdrawal": _object(
        "Taking feedback back",
        [],
        voice={"$ref": "#/components/schemas/Voice"},
    ),
    "Ballot": _BALLOT,
    "Ballots": {
        "description": "One ballot, or a batch of which all is kept or nothing",
        "if": {"type": "object", "required": ["ballots"]},
        "then": _object(
            "A batch",
            ["ballots"],
            ballots={
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_BALLOTS,
                "items": {"$ref": "#/components/schemas/Ballot"},
            },
        ),
        "else": {"$ref": "#/components/schemas/Ballot"},
    },
    "NewReaction": _object(
        "What somebody thinks of a neighbour's opinion",
        ["id", "voice", "choice"],
        id=_OWN_ID,
        voice={"$ref": "#/components/schemas/Voice"},
        choice=_one_of("The choice", "agree", "disagree", "pass"),
        cast_at=_GIVEN_AT,
    ),
    "NewLink": _object(
        "A code of six digits that somebody heard on the phone and typed into their account",
        ["account", "code"],
        account={
            "type": "string",
            "description": "The platform's own id of the account; kept as a keyed digest only",
            "minLength": 1,
            "maxLength": LONGEST,
        },
        code={"type": "string", "pattern": "^[0-9]{6}$", "description": "The code, within ten minutes"},
    ),
    "NewReply": _object(
        "An answer to feedback",
        ["spoken"],
        spoken=_words(LONGEST_SPOKEN, "The answer, as read on the phone"),
        is_private={"type": "boolean", "description": "For its speaker alone"},
    ),
}
"""What is sent."""

ANSWERS: Json = {
    "Kept": _object(
        "What is kept now. It counts once a worker has settled it: within a second or two",
        ["kept", "known"],
        kept=_COUNT | {"description": "How many are new"},
        known=_COUNT | {"description": "How many had been kept before under the same id"},
    ),
    "KeptFeedback": _object(
        "The feedback is kept; a record once a worker has settled it: within a second or two",
        ["id", "receipt"],
        id={"type": "string", "description": "Our id of it"},
        receipt={
            "type": ["string", "null"],
            "description": "Eight digits for its speaker alone: with them the answer is heard on the phone",
        },
    ),
    "Link": _object(
        "An account and whoever heard a code count as one person until the link is undone",
        ["id", "how", "made_at", "undone_at"],
        id={"type": "string", "description": "Its id"},
        how=_one_of("What showed that they are one", "code", "attested"),
        made_at=_MOMENT,
        undone_at=_or_null(_MOMENT),
    ),
    "Made": _object("A new record", ["id"], id={"type": "string", "description": "Its id"}),
}
"""What is answered, where that is no record."""
