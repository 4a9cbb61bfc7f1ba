"""Calls in real time: they run when the rest is done, and are called again where the machine was late."""

from __future__ import annotations

import pytest

LIVE = pytest.mark.realtime
AGAIN = pytest.mark.flaky(reruns=3, reruns_delay=1)
