"""Tests that depend on how quick the machine is, and how often one of them is called when it fails.

What plays in real time runs when the rest is done. Whatever starts programs of its own may meet a machine
that was late: it is called again, and the summary of the run names it (R). A rule is called once.
"""

from __future__ import annotations

import pytest

LIVE = pytest.mark.realtime
AGAIN = pytest.mark.flaky(reruns=3, reruns_delay=1)
ONCE_MORE = pytest.mark.flaky(reruns=1, reruns_delay=2)
