"""One event sent to an endpoint on the spot, so that both sides see whether it arrives."""

from __future__ import annotations

import json
from datetime import datetime

from sync.archive import Archive
from sync.records.tables import Endpoint, new_id
from sync.webhooks import endpoints
from sync.webhooks.addresses import Reach
from sync.webhooks.log import logged
from sync.webhooks.sending import Sent, send

TESTED = "cn.tingjian.webhook.tested"


def try_endpoint(archive: Archive, endpoint: Endpoint, reach: Reach, now: datetime) -> Sent:
    """Send one event of the type `TESTED` now, and log what came of it, whatever the other side does."""
    with archive.database.read() as session:
        secrets = endpoints.secrets_of(session, archive, endpoint, now)
    event_id = new_id("test")
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"urn:tingjian:{endpoint.community_id}",
        "type": TESTED,
        "subject": endpoint.id,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {"id": endpoint.id},
    }
    sent = send(endpoint.url, event_id, json.dumps(event), secrets, now, reach)
    with archive.database.begin() as session:
        session.add(logged(endpoint.id, event, sent, now))
    return sent
