# Runs on MicroPython: one connection, as told by the JSON in argv[1]. Prints one line of JSON.
import asyncio
import binascii
import gc
import json
import sys

import micropython

ring = micropython.RingIO(4096)  # first of all, as the firmware does: later the heap is in pieces

from doll.upgrade import ConnectError  # noqa: E402
from doll.websocket import BINARY, TEXT, Closed, WebSocket  # noqa: E402

told = json.loads(sys.argv[1])


# Keeps length and checksum of a message. With take, it takes no more than that at a time, and
# nothing every other time.
class Sink:
    def __init__(self, take):
        self.take = take
        self.turn = False
        self.crc = 0

    def write(self, buf, off, n):
        if self.take:
            self.turn = not self.turn
            n = min(n, self.take) if self.turn else 0
        self.crc = binascii.crc32(buf[off : off + n], self.crc)
        return n


async def send(ws, op, payload):
    ws.tx[ws.HEAD : ws.HEAD + len(payload)] = payload
    sent = ws.begin(op, len(payload))
    while not sent:
        await asyncio.sleep_ms(1)
        sent = ws.flush()


async def receive(ws, sink):
    while True:
        op = ws.poll(sink)
        if op > 0:
            return op
        await asyncio.sleep_ms(1 if op < 0 else 0)


# Receives until the link ends.
async def listen(ws):
    messages = []
    try:
        while True:
            sink = Sink(told.get("take", 0))
            op = await receive(ws, sink)
            crc = sink.crc if op == BINARY else binascii.crc32(memoryview(ws.text)[: ws.length])
            messages.append((op, ws.length, crc))
    except Closed as e:
        return {"messages": messages, "code": e.code, "reason": e.reason, "open": ws.is_open}


# Sends messages of the told lengths, as text and as binary, and compares what comes back.
async def echo(ws):
    pattern = bytes(33 + i % 94 for i in range(2000)) * 34
    same = 0
    for n in range(*told["lengths"]):
        for op in (TEXT, BINARY):
            payload = memoryview(pattern)[n % 1000 : n % 1000 + n]
            sink = Sink(0)
            await send(ws, op, payload)
            if await receive(ws, sink) != op or ws.length != n:
                break
            crc = sink.crc if op == BINARY else binascii.crc32(memoryview(ws.text)[:n])
            same += crc == binascii.crc32(payload)
    await ws.shutdown(1001)
    return {"same": same}


# Heap taken by told["frames"] frames of 260 bytes in each direction, once it has warmed up.
async def heap(ws):
    out = bytearray(260)
    before = 0
    count = 0
    gc.collect()
    gc.disable()
    for i in range(20 + told["frames"]):
        if i == 20:
            before = gc.mem_alloc()
        sent = ws.begin(BINARY, 260)
        while not sent:
            await asyncio.sleep_ms(1)
            sent = ws.flush()
        while True:
            op = ws.poll(ring)
            if op == BINARY:
                break
            await asyncio.sleep_ms(1)
        count += ring.readinto(out) == 260
    taken = gc.mem_alloc() - before
    return {"heap": taken, "frames": count - 20}


# Sends and closes at once, without waiting for anything.
async def say_and_close(ws):
    await send(ws, TEXT, b"last words")
    ws.close(told.get("code", 1000))
    try:
        ws.begin(TEXT, 1)
    except Closed as e:
        return {"after": e.code}


# Offers frames to a relay that does not read until a second connection tells it to.
async def flood(ws):
    frames = 1
    while ws.begin(BINARY, 1000):
        frames += 1
    heard = await receive(ws, Sink(0))  # tx is full, and still the relay can be heard
    other = WebSocket()
    await connect(other)
    while not ws.flush():
        await asyncio.sleep_ms(1)
    await ws.shutdown(timeout_ms=10_000)
    return {"frames": frames, "heard": heard}


# Gives up connecting, as a task that is cancelled does, and then connects elsewhere.
async def cancelled(ws):
    try:
        await asyncio.wait_for_ms(connect(ws), 100)
    except asyncio.TimeoutError:
        told["url"] = told["then"]
        await connect(ws)
        return await listen(ws)


def contents(path):
    with open(path, "rb") as f:
        return f.read()


async def connect(ws):
    await ws.connect(
        told["url"],
        told.get("headers", ()),
        ca=contents(told["ca"]) if told.get("ca") else None,
        insecure=told.get("insecure", False),
        timeout_ms=told.get("timeout_ms", 10_000),
    )


async def main():
    sizes = told.get("sizes", {})
    ws = WebSocket(**sizes)
    do = globals()[told["do"]]
    try:
        if do is not cancelled:
            await connect(ws)
        result = await do(ws)
    except ConnectError as e:
        result = {"stage": e.stage, "status": e.status, "text": str(e), "open": ws.is_open}
    print(json.dumps(result))


asyncio.run(main())
