"""All loudspeakers of the village as our simulator has them, in one process, with the sound they fetch.

`python -m benchmarks.broadcast_crowd PORT SOUND`; says `ready` and the port at which the sound lies.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from benchmarks.broadcast_village import accounts_given
from ivr.broadcast.broker_address import Broker
from ivr.broadcast.played import Memory
from ivr.broadcast.player import NoPlayer
from ivr.broadcast.simulator import SimulatedLoudspeaker


async def main(port: int, sound: Path) -> None:
    """Be all of them until ended. Their memory is in RAM: two hundred share no disk in a village."""
    data = sound.read_bytes()

    async def give(_: web.Request) -> web.Response:
        return web.Response(body=data, content_type="audio/mpeg")

    application = web.Application()
    application.router.add_get("/sound", give)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = site._server
    assert isinstance(server, asyncio.Server)
    speakers = [
        SimulatedLoudspeaker(Broker("127.0.0.1", port, user, secret), Memory(), NoPlayer())
        for user, secret in accounts_given().items()
    ]
    lives = [asyncio.create_task(one.run()) for one in speakers]
    while not all(one.is_up for one in speakers):
        await asyncio.sleep(0.05)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(*lives)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
