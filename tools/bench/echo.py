"""`python -m tools.bench.echo`: a bare `websockets` server that sends each packet back.

What a packet costs in Python at the least, with nobody who hears, thinks or speaks.
"""

from __future__ import annotations

import json
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, serve


async def _echo(connection: ServerConnection) -> None:
    async for message in connection:
        if isinstance(message, bytes):
            await connection.send(message)
        elif "hello" in message:
            await connection.send('{"type": "hello"}')


async def _main() -> None:
    async with serve(_echo, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        line = {"event": "listening", "url": f"ws://127.0.0.1:{port}/"}
        print(json.dumps(line), file=sys.stderr, flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main())
