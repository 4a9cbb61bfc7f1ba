"""Every path of the API in one table: the blueprint and the OpenAPI document are both made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from sync.api.access import Caller
from sync.api.feedback import list_feedback, one_feedback
from sync.api.topics import list_topics, one_topic

View = Callable[[Session, Caller, Mapping[str, str], str], dict[str, Any]]


@dataclass(frozen=True)
class Route:
    """One path under `/api`. `record` is the schema it answers with; a list wraps it into a page."""

    path: str
    scope: str
    view: View
    record: str
    summary: str
    arguments: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether it answers with a page of records."""
        return not self.path.endswith(">")

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
)  # fmt: skip
