"""Calls in real time: a busy machine may lose a frame or be late, so a test that fails is called again."""

from __future__ import annotations

import pytest

LIVE = pytest.mark.flaky(reruns=2)
