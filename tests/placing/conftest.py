"""A village with a line that dials out, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.archive import Archive
from sync.records.tables import Community
from tests.placing.twilio_api import TwilioApi, twilio_api
from tests.placing.world import World


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    with twilio_api() as running:
        yield running


@pytest.fixture
def world(archive: Archive, community: Community, api: TwilioApi) -> World:
    return World(archive, api)


@pytest.fixture
def any_world(any_archive: Archive, any_community: Community, api: TwilioApi) -> World:
    return World(any_archive, api)
