"""`python -m tools.bench.floor`: a bare `websockets` server, the least that any relay can take.

It takes the same traffic as the relay and looks at none of it: `listen stop` is answered at once
with the messages that the protocol puts before an answer, its first frame, and its end.
"""

from __future__ import annotations

import json
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, serve

_ANSWER = (
    json.dumps({"type": "stt", "text": "안녕"}),
    json.dumps({"type": "tts", "state": "start"}),
    json.dumps({"type": "tts", "state": "sentence_start", "text": "흥, 안녕."}),
    bytes(260),
    json.dumps({"type": "tts", "state": "stop"}),
)


async def _answer(connection: ServerConnection) -> None:
    await connection.recv()
    await connection.send('{"type": "hello"}')
    async for message in connection:
        if isinstance(message, str) and "stop" in message:
            for part in _ANSWER:
                await connection.send(part)


async def _main() -> None:
    async with serve(_answer, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        line = {"event": "listening", "url": f"ws://127.0.0.1:{port}/"}
        print(json.dumps(line), file=sys.stderr, flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main())
