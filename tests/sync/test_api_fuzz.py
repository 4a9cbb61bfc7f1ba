"""schemathesis over the whole OpenAPI document: the API answers as it says, and never with a 500."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine.events import EngineFinished, FatalError, NonFatalError, ScenarioFinished
from werkzeug.serving import make_server

from sync.api.keys import KEY
from sync.archive import Archive
from sync.platforms import SCOPES
from tests.conftest import found_community
from tests.sync.voices import a_topic
from tests.sync.writer import Told, Writer, app_on, enter

pytestmark = pytest.mark.slow
EXAMPLES = 6  # of each operation, after those that cover every corner of its schema
Environ = dict[str, Any]


def a_lively_community(archive: Archive) -> tuple[Writer, Mapping[str, list[str]]]:
    """A platform with every scope, and ids of what calls may be about: its own, the desk's."""
    community = found_community(archive)
    writer = enter(archive, app_on(archive, Told(), []), community.id, *SCOPES)
    own, desk = writer.topic(), a_topic(archive, community)
    writer.post(f"/topics/{own}/progress", {"stage": "采购", "text": "已经下单。"})
    feedback = [writer.feedback(id=f"f{n}", topic_id=own) for n in range(2)]
    writer.work()
    return writer, {"topics": [own, desk], "feedback": feedback}


def helped(app: Flask, ids: Mapping[str, list[str]]) -> None:
    """Every second call about one record is about one that is there; a proper key is used but once."""
    inner: Callable[[Environ, Any], Iterable[bytes]] = app.wsgi_app
    turns = itertools.count()

    def answer(environ: Environ, start_response: Any) -> Iterable[bytes]:
        turn = next(turns)
        parts = environ["PATH_INFO"].split("/")
        if len(parts) > 4 and parts[3] in ids and turn % 2:
            known = ids[parts[3]]
            environ["PATH_INFO"] = "/".join([*parts[:4], known[turn // 2 % len(known)], *parts[5:]])
        if re.fullmatch(KEY, environ.get("HTTP_IDEMPOTENCY_KEY", "")):
            environ["HTTP_IDEMPOTENCY_KEY"] = f"turn-{turn}"
        return inner(environ, start_response)

    app.wsgi_app = answer  # type: ignore[method-assign]


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of a real server on a free port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


def test_nothing_is_found(postgres_archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    """Corners of every schema, random bodies good and bad, chains of calls; every check there is."""
    caplog.set_level("ERROR", "werkzeug")
    writer, ids = a_lively_community(postgres_archive)
    app = writer.client.application
    helped(app, ids)
    config = SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {writer.key}"},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "no-shrink": True},
        }
    )
    found, tried = [], set()
    with served(app) as base:
        api = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json", config=config)
        for event in engine.from_schema(api).execute():
            match event:
                case ScenarioFinished():
                    tried.add(event.recorder.label)
                case NonFatalError():
                    found.append(f"{event.label}: {event.value!r}")
                case FatalError():
                    found.append(repr(event.exception))
                case EngineFinished():
                    found += [f"{one.operation}: {one.title}: {one.message}" for one in event.failures]
    assert not found, "\n".join(found)
    assert {operation.ok().label for operation in api.get_all_operations()} <= tried
