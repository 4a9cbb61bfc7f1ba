"""What the tests of loudspeakers behind a broker share: the broker, a short sound, and web that serves it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ivr.broadcast.loudspeakers import SoundFile
from tests.broadcast.broker import RealBroker, real_broker
from tests.broadcast.jobs import phone_sound
from tests.broadcast.orders import DEVICES
from tests.broadcast.village import SoundServer, sound_server


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    """A running broker that knows DEVICES."""
    yield from real_broker(tmp_path_factory.mktemp("broker"), DEVICES)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> SoundFile:
    """Half a second."""
    return phone_sound(tmp_path_factory.mktemp("sound"), 0.5)


@pytest.fixture
def web(sound: SoundFile) -> Iterator[SoundServer]:
    """Where loudspeakers fetch it."""
    with sound_server(sound.path.read_bytes()) as server:
        yield server
