"""How a platform names one write, so that repeating it does nothing twice."""

from __future__ import annotations

KEY_HEADER = "Idempotency-Key"
KEY = r"^[!-~]{1,200}$"
