"""`python -m tools.bench.floor`: a bare `websockets` server, the least that any relay can take.

Every text message is answered with one binary message of an ADPCM frame's size.
"""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, serve

_FRAME = bytes(260)


async def _answer(connection: ServerConnection) -> None:
    async for message in connection:
        if isinstance(message, str):
            await connection.send(_FRAME)


async def _main() -> None:
    async with serve(_answer, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        line = {"event": "listening", "url": f"ws://127.0.0.1:{port}/"}
        print(json.dumps(line), file=sys.stderr, flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main())
