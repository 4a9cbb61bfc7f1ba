"""Every path of the API in one table: the blueprint and the OpenAPI document are both made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response
from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.audio import feedback_audio
from sync.api.bodies import LARGEST_BODY
from sync.api.changes import changes, wait_for_changes
from sync.api.feedback import list_feedback, one_feedback
from sync.api.gist import topic_gist
from sync.api.problems import Problem
from sync.api.progress import list_progress
from sync.api.results import topic_results
from sync.api.topics import list_topics, one_topic
from sync.api.writes.ballots import cast_ballots
from sync.api.writes.feedback import give_feedback, react_to_feedback, reply_to_feedback, withdraw_feedback
from sync.api.writes.links import break_link, make_link
from sync.api.writes.topics import add_progress, change_topic, create_topic

__all__ = ["ROUTES", "Route", "View"]

_LARGEST_BATCH = 512 * 1024  # bytes
View = Callable[[Session, Asked], Json | Problem | Response]


@dataclass(frozen=True)
class Route:
    """One path and method under `/api`. `record` is the schema it answers with; a list wraps it into a page.

    `view` gets a session that reads one snapshot; of a method other than GET, one that writes. A view that
    raises Problem undoes what it wrote, one that returns a Problem keeps it. `body` names the schema of what
    is sent, at most `largest` bytes. `waits` is called before the session is opened: nothing is held while a
    call waits. `wakes` are the jobs that what was written needs.
    """

    path: str
    scope: str
    view: View
    record: str
    summary: str
    arguments: tuple[str, ...] = ()
    method: str = "GET"
    body: str | None = None
    status: int = 200
    waits: Callable[[Asked], None] | None = None
    media: str = "application/json"  # of the answer; another than JSON is a Response of the view's own
    largest: int = LARGEST_BODY
    wakes: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether it answers with a page of records."""
        return "cursor" in self.arguments

    @property
    def writes(self) -> bool:
        """Whether it may change the records."""
        return self.method != "GET"

    @property
    def needs_key(self) -> bool:
        """Whether repeating it without an Idempotency-Key could do twice what was meant once."""
        return self.method == "POST"

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.view.__name__


ROUTES = (
    Route(
        "/v1/feedback", "feedback:read", list_feedback, "Feedback",
        "Opinions from every channel, oldest first", ("limit", "cursor", "state", "topic_id"),
    ),
    Route("/v1/feedback/<record_id>", "feedback:read", one_feedback, "Feedback", "One opinion"),
    Route(
        "/v1/feedback/<record_id>/audio", "audio:read", feedback_audio, "",
        "An opinion in its speaker's own voice, if they agreed; what its text hides is bleeped",
        media="audio/wav",
    ),
    Route(
        "/v1/topics", "topics:read", list_topics, "Topic",
        "Topics with their results, oldest first", ("limit", "cursor"),
    ),
    Route("/v1/topics/<record_id>", "topics:read", one_topic, "Topic", "One topic with its result"),
    Route(
        "/v1/topics/<record_id>/results", "topics:read", topic_results, "Results",
        "What a topic counts to and how it was counted", ("account",),
    ),
    Route(
        "/v1/topics/<record_id>/gist", "feedback:read", topic_gist, "Gist",
        "What people say to a topic in short, of its newest opinions",
    ),
    Route(
        "/v1/progress", "topics:read", list_progress, "Progress",
        "What became of topics, oldest first", ("limit", "cursor", "topic_id"),
    ),
    Route(
        "/v1/changes", "changes:read", changes, "Event",
        "Every change in a safe order, as CloudEvents", ("limit", "cursor", "wait"), waits=wait_for_changes,
    ),
    Route(
        "/v1/topics", "topics:write", create_topic, "Topic", "Bring a topic",
        method="POST", body="NewTopic", status=201, wakes=("render",),
    ),
    Route(
        "/v1/topics/<record_id>", "topics:write", change_topic, "Topic", "Change a topic of one's own",
        method="PATCH", body="TopicChange", wakes=("render",),
    ),
    Route(
        "/v1/topics/<record_id>/progress", "progress:write", add_progress, "Update",
        "Say what became of a topic of one's own", method="POST", body="NewUpdate", status=201,
        wakes=("render",),
    ),
    Route(
        "/v1/topics/<record_id>/ballots", "ballots:write", cast_ballots, "Kept",
        "Bring a ballot, or a batch of them", method="POST", body="Ballots", status=202, wakes=("settle",),
        largest=_LARGEST_BATCH,
    ),
    Route(
        "/v1/feedback", "feedback:write", give_feedback, "KeptFeedback", "Bring what somebody wrote",
        method="POST", body="NewFeedback", status=202, wakes=("settle",),
    ),
    Route(
        "/v1/feedback/<record_id>/withdrawal", "feedback:write", withdraw_feedback, "Kept",
        "Take feedback back for its speaker", method="POST", body="Withdrawal", status=202,
        wakes=("settle",),
    ),
    Route(
        "/v1/feedback/<record_id>/reactions", "reactions:write", react_to_feedback, "Kept",
        "Bring what somebody thinks of a neighbour's opinion", method="POST", body="NewReaction", status=202,
        wakes=("settle",),
    ),
    Route(
        "/v1/feedback/<record_id>/replies", "replies:write", reply_to_feedback, "Made",
        "Answer feedback on a topic of one's own, or that one brought", method="POST", body="NewReply",
        status=201, wakes=("render",),
    ),
    Route(
        "/v1/links", "links:write", make_link, "Link",
        "Make one person of an account and of whoever heard a code on the phone", method="POST",
        body="NewLink", status=201,
    ),
    Route(
        "/v1/links/<record_id>", "links:write", break_link, "Link", "Undo a link of one's own making",
        method="DELETE",
    ),
)  # fmt: skip
