"""A bare server of TwiML documents: learns one call by passing it on to web, then repeats it from memory.

`python -m benchmarks.line_bare PORT WEB`. GET /forget begins anew and gives the sentences that had no clip;
GET /seal ends the learning: from then on nothing reaches web.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from xml.etree import ElementTree

from aiohttp import ClientSession, web

from admin.supervised import end_with_supervisor

SID = re.compile(r"CA[0-9a-f]{32}")
KEPT_HEADERS = ("Content-Type", "X-Caption")
PASSED_HEADERS = ("Content-Type", "X-Twilio-Signature")


@dataclass(frozen=True)
class Page:
    """An answer of web, and the call it was given to."""

    body: bytes
    headers: dict[str, str]
    call_sid: str


@dataclass
class Memory:
    """Pages by their address without the call's id."""

    origin: str
    pages: dict[str, Page] = field(default_factory=dict)
    is_sealed: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        """The page known for this address, written for the call that asks."""
        if request.path.endswith("/status"):
            return web.Response(status=204)
        form = await request.post()
        sid = str(form.get("CallSid", ""))
        key = SID.sub("", request.raw_path)
        page = self.pages.get(key)
        if page is None:
            if self.is_sealed:
                return web.Response(status=410)
            page = self.pages[key] = await self._ask(request, sid)
        body = page.body.replace(page.call_sid.encode(), sid.encode()) if sid else page.body
        return web.Response(body=body, headers=page.headers)

    async def forget(self, request: web.Request) -> web.Response:
        """Know nothing; what was left to the synthesiser in all that was known."""
        documents = [page.body for page in self.pages.values() if page.call_sid]
        self.pages.clear()
        left = [say.text for body in documents for say in ElementTree.fromstring(body).iter("Say")]
        return web.json_response(list(dict.fromkeys(left)))

    async def seal(self, request: web.Request) -> web.Response:
        """From now on what is not known is gone."""
        self.is_sealed = True
        return web.json_response(len(self.pages))

    async def _ask(self, request: web.Request, sid: str) -> Page:
        headers = {name: request.headers[name] for name in PASSED_HEADERS if name in request.headers}
        async with (
            ClientSession() as session,
            session.request(
                request.method, self.origin + request.raw_path, data=await request.read(), headers=headers
            ) as reply,
        ):
            reply.raise_for_status()
            kept = {name: reply.headers[name] for name in KEPT_HEADERS if name in reply.headers}
            return Page(await reply.read(), kept, sid)


def main(port: int, origin: str) -> None:
    """Serve until killed."""
    memory = Memory(origin)
    application = web.Application()
    application.add_routes(
        [
            web.get("/forget", memory.forget),
            web.get("/seal", memory.seal),
            web.route("*", "/{path:.*}", memory.answer),
        ]
    )
    web.run_app(application, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    end_with_supervisor()
    main(int(sys.argv[1]), sys.argv[2])
