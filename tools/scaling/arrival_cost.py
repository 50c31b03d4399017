"""What it costs when a doll comes: the TLS handshake of a proxy, and the relay's own greeting."""

from __future__ import annotations

import datetime as dt
import ssl
import tempfile
import time
from pathlib import Path

from tools.bench.cores import Meter, apart, on
from tools.bench.crowd import Crowd
from tools.bench.spoken import prepare
from tools.certificate.make import make
from tools.relay_process import running_relay

_HANDSHAKES = 200
_SERVER = ("-m", "tools.bench.server")


async def measure(dolls: int) -> dict[str, float]:
    """A few seconds. `dolls` come to a relay of its own, 20 at a time."""
    return {"tls_handshake_us": handshake_us(), "greeting_us": await _greeting_us(dolls)}


def handshake_us() -> float:
    """Processor time of a server for one TLS 1.3 handshake with a P-256 certificate, OpenSSL."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "certificate.pem"
        file.write_bytes(b"".join(make(["localhost"], dt.datetime.now(dt.UTC))))
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(file)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE  # what the doll does is free
    return round(sum(_handshake(server, client) for _ in range(_HANDSHAKES)) / _HANDSHAKES * 1e6, 1)


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> float:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = server.wrap_bio(up, down, server_side=True)
    there = client.wrap_bio(down, up)
    spent, is_over = 0.0, False
    while not is_over:
        is_there = _step(there)
        began = time.thread_time()
        is_over = _step(here) and is_there
        spent += time.thread_time() - began
    return spent


def _step(side: ssl.SSLObject) -> bool:
    """One step of a handshake; whether it is over for this side."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


async def _greeting_us(dolls: int) -> float:
    """Upgrade, token, hello and session, with the database in SQLite; no TLS."""
    codec = await prepare("adpcm")
    names = [f"bench-{number}" for number in range(dolls)]
    room = {"DOLL_RELAY__MAX_DOLLS": str(dolls + 1)}
    with apart() as core:
        with on(core):
            relay_here = running_relay(command=_SERVER, environment=room)
            relay = await relay_here.__aenter__()
        crowd = Crowd(codec)
        try:
            url, tokens = await relay.url(), await relay.tokens(*names)
            meter = Meter(relay.pid, core)
            await crowd.connect(url, tokens)
            return round(meter.read().cpu_s / dolls * 1e6, 1)
        finally:
            await crowd.close()
            await relay_here.__aexit__(None, None, None)
