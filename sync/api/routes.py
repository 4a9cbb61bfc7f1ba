"""Every path of the API in one table: the blueprint and the OpenAPI document are both made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response
from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.changes import changes, wait_for_changes
from sync.api.feedback import list_feedback, one_feedback
from sync.api.problems import Problem
from sync.api.progress import list_progress
from sync.api.results import topic_results
from sync.api.topics import list_topics, one_topic

__all__ = ["ROUTES", "Route", "View"]

View = Callable[[Session, Asked], Json | Problem | Response]


@dataclass(frozen=True)
class Route:
    """One path and method under `/api`. `record` is the schema it answers with; a list wraps it into a page.

    `view` gets a session that reads one snapshot; of a method other than GET, one that writes. A view that
    raises Problem undoes what it wrote, one that returns a Problem keeps it. `body` names the schema of what
    is sent. `waits` is called before the session is opened: nothing is held while a call waits.
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

    @property
    def is_list(self) -> bool:
        """Whether it answers with a page of records."""
        return "cursor" in self.arguments

    @property
    def writes(self) -> bool:
        """Whether it may change the records."""
        return self.method != "GET"

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
        "/v1/topics", "topics:read", list_topics, "Topic",
        "Topics with their results, oldest first", ("limit", "cursor"),
    ),
    Route("/v1/topics/<record_id>", "topics:read", one_topic, "Topic", "One topic with its result"),
    Route(
        "/v1/topics/<record_id>/results", "topics:read", topic_results, "Results",
        "What a topic counts to and how it was counted",
    ),
    Route(
        "/v1/progress", "topics:read", list_progress, "Progress",
        "What became of topics, oldest first", ("limit", "cursor", "topic_id"),
    ),
    Route(
        "/v1/changes", "changes:read", changes, "Event",
        "Every change in a safe order, as CloudEvents", ("limit", "cursor", "wait"), waits=wait_for_changes,
    ),
)  # fmt: skip
