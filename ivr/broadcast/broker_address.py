"""Where the MQTT broker is, and who we are to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

PLAIN_PORT, TLS_PORT = 1883, 8883


@dataclass(frozen=True)
class Broker:
    """Where the broker is and who we are to it. `ca`: a file of certificates besides those of the system."""

    host: str
    port: int
    user: str = ""
    secret: str = field(default="", repr=False)
    is_tls: bool = False
    ca: Path | None = None

    @classmethod
    def of(cls, url: str, user: str = "", secret: str = "", ca: str = "") -> Broker:
        """From `mqtt://[user[:secret]@]host[:port]` or `mqtts://…`; what the address names goes first.

        Raises ValueError in our words when it is no such address.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path.strip("/"):
            raise ValueError("it should look like mqtt://127.0.0.1:1883 or mqtts://broker.example.org")
        is_tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (TLS_PORT if is_tls else PLAIN_PORT),
            user=unquote(parts.username or "") or user,
            secret=unquote(parts.password or "") or secret,
            is_tls=is_tls,
            ca=Path(ca).expanduser() if ca else None,
        )
