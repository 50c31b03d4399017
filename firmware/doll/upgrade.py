# Opening of a WebSocket: address, TCP, TLS and the HTTP upgrade (RFC 6455 sections 3 and 4.1).
# MIT license; part of the talking doll

import asyncio
import binascii
import errno
import hashlib
import os
import select
import socket
import time

from micropython import const

_HEAD_LIMIT = const(4096)  # of the relay's answer; proxies in the cloud add about 1 KB to it
_DIAL_MS = const(2500)  # for a place to answer: TCP itself would ask again only later and later

_ABSENT = (502, 504)  # a proxy that is there, and no relay behind it

_HTTP = {
    200: "a web page, not a WebSocket: is the address right?",
    400: "the relay did not understand the request",
    401: "the relay wants a valid token: pair the doll again",
    403: "the relay does not let this doll in",
    404: "nothing there: is the path of the address right?",
    426: "the relay wants another version of WebSocket",
    429: "too many attempts: wait",
    502: "the relay behind this address is not running",
    503: "the relay is busy or starting: wait",
}


# The link could not be opened. stage is "address", "dns", "tcp", "tls" or "http"; status is that
# of HTTP when the relay refused, else 0. refused: a moment later it will be no better. The
# text says what to do and holds no path or header that was sent, for a token may be in there.
class ConnectError(OSError):
    def __init__(self, stage, text, status=0):
        super().__init__("%s: %s" % (stage, text))
        self.stage = stage
        self.status = status
        self.refused = status not in _ABSENT if status else stage == "address"


# Opens url; returns a non-blocking stream whose next byte is the first one of a frame.
# See WebSocket.connect() for the arguments.
async def upgrade(url, headers, ca, insecure, timeout_ms):
    tls, host, port, path = parse(url)
    key = binascii.b2a_base64(os.urandom(16)).strip()
    request = _request(tls, host, port, path, key, headers)
    context = _context(ca, insecure) if tls else None
    try:
        places = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except OSError as e:
        raise ConnectError("dns", "no such host as %s (%s)" % (host, e))
    end = time.ticks_add(time.ticks_ms(), timeout_ms)
    stream = await _dial(places, end)
    try:
        if tls:
            # The handshake goes on inside the first writes, so that waiting does not block.
            stream = context.wrap_socket(
                stream, server_hostname=host, do_handshake_on_connect=False
            )
        await _send(stream, request, "tls" if tls else "http", end)
        check(await _head(stream, end), key)
    except (OSError, ValueError) as e:
        stream.close()
        if isinstance(e, ConnectError):
            raise
        text = str(e).strip()
        if "validity" in text:
            text += " (is the clock right?)"
        error = ConnectError("tls" if tls else "http", text)
        error.refused = isinstance(e, ValueError)  # a certificate that is not good
        raise error
    except BaseException:  # cancelled
        stream.close()
        raise
    return stream


# Returns (tls, host, port, path with query) of a ws:// or wss:// address.
def parse(url):
    scheme, _, rest = url.partition("://")
    tls = scheme.lower() == "wss"
    if not tls and scheme.lower() != "ws":
        raise ConnectError("address", "must start with ws:// or wss://")
    if any(not "!" <= c <= "~" for c in rest) or "#" in rest:
        raise ConnectError("address", "holds a character that must be written as %XX")
    i = 0
    while i < len(rest) and rest[i] not in "/?":
        i += 1
    place, path = rest[:i], rest[i:]
    if not path.startswith("/"):
        path = "/" + path
    if place.startswith("["):  # IPv6
        host, end, port = place[1:].partition("]")
        bad = not end or not (port == "" or port.startswith(":"))
        port = port[1:]
    else:
        host, _, port = place.partition(":")
        bad = False
    if bad or not host or "@" in place:
        raise ConnectError("address", "bad host")
    if not port:
        return tls, host, 443 if tls else 80, path
    if not port.isdigit() or not 0 < int(port) < 0x10000:
        raise ConnectError("address", "bad port")
    return tls, host, int(port), path


def _request(tls, host, port, path, key, headers):
    if ":" in host:
        host = "[%s]" % host
    if port != (443 if tls else 80):
        host = "%s:%d" % (host, port)
    lines = [
        "GET %s HTTP/1.1" % path,
        "Host: " + host,
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: " + str(key, "ascii"),
        "Sec-WebSocket-Version: 13",
    ]
    for name, value in headers:
        line = "%s: %s" % (name, value)
        if "\r" in line or "\n" in line or "\0" in line:
            raise ConnectError("address", "line break in header " + _shown(name.encode()))
        lines.append(line)
    return "\r\n".join(lines + ["", ""]).encode()


def _context(ca, insecure):
    # Not ssl.SSLContext, which verifies nothing unless told to.
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    if insecure:
        context.verify_mode = tls.CERT_NONE
        return context
    if not ca:
        raise ConnectError("tls", "no CA certificate to verify the relay with")
    context.verify_mode = tls.CERT_REQUIRED
    try:
        for der in [ca] if isinstance(ca, (bytes, bytearray)) else ca:
            context.load_verify_locations(der)
    except (OSError, ValueError) as e:
        raise ConnectError("tls", "CA certificate is not DER: %s" % e)
    return context


# Sleeps for a moment, or raises if time is up.
async def _pause(stage, end):
    if time.ticks_diff(end, time.ticks_ms()) <= 0:
        raise ConnectError(stage, "no answer in time")
    await asyncio.sleep_ms(10)


# Returns a non-blocking socket connected to the first of the places that answers.
async def _dial(places, end):
    error = "no address"
    for place in places:
        s = socket.socket(place[0], place[1], place[2])
        try:
            s.setblocking(False)
            if hasattr(socket, "TCP_NODELAY"):
                # Nagle's algorithm would hold a frame back until the one before is acknowledged.
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                s.connect(place[-1])
            except OSError as e:
                if e.errno != errno.EINPROGRESS:
                    raise
            poll = select.poll()
            poll.register(s, select.POLLOUT)
            until = time.ticks_add(time.ticks_ms(), _DIAL_MS)
            if time.ticks_diff(until, end) > 0:
                until = end
            while True:
                for _, flags in poll.poll(0):
                    if flags & (select.POLLERR | select.POLLHUP):
                        s.write(b"\0")  # raises what the connect ended with
                        raise OSError(errno.ECONNREFUSED)
                    return s
                await _pause("tcp", until)
        except OSError as e:
            s.close()
            error = e
        except BaseException:  # cancelled
            s.close()
            raise
    if isinstance(error, ConnectError):
        raise error
    raise ConnectError("tcp", "relay does not answer (%s): is it running?" % error)


async def _send(stream, data, stage, end):
    at = 0
    while at < len(data):
        n = stream.write(data, at, len(data) - at)
        if n:
            at += n
            stage = "http"
        else:
            await _pause(stage, end)


# Reads the head of the answer, byte by byte, so that the frames behind it are left where they are.
async def _head(stream, end):
    one = bytearray(1)
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        n = stream.readinto(one)
        if n is None:
            await _pause("http", end)
        elif not n:
            raise ConnectError("http", "relay hung up instead of answering")
        elif len(head) == _HEAD_LIMIT:
            raise ConnectError("http", "answer longer than %d bytes" % _HEAD_LIMIT)
        else:
            head.append(one[0])
    return bytes(head)


# Checks the relay's answer against RFC 6455 section 4.1; key is the one that was sent.
def check(head, key):
    lines = head[:-4].split(b"\r\n")
    status = lines[0].split(b" ", 2)
    if len(status) < 2 or status[0] != b"HTTP/1.1" or not status[1].isdigit():
        raise ConnectError("http", "not an HTTP/1.1 answer: " + _shown(lines[0]))
    status = int(status[1])
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or not name or name != name.strip():
            raise ConnectError("http", "bad header line: " + _shown(line))
        value = value.strip()
        fields[name] = fields[name] + b"," + value if name in fields else value
    if status in (301, 302, 303, 307, 308):
        place = fields.get(b"location", b"nowhere").partition(b"?")[0]  # no token into the log
        raise ConnectError(
            "http", "%d: the relay has moved to %s" % (status, _shown(place)), status
        )
    if status != 101:
        text = _HTTP.get(status, "unexpected answer: " + _shown(lines[0]))
        raise ConnectError("http", "%d: %s" % (status, text), status)
    want = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    if b"websocket" not in _tokens(fields, b"upgrade"):
        raise ConnectError("http", "101 without Upgrade: websocket")
    if b"upgrade" not in _tokens(fields, b"connection"):
        raise ConnectError("http", "101 without Connection: Upgrade")
    if fields.get(b"sec-websocket-accept") != binascii.b2a_base64(want).strip():
        raise ConnectError("http", "wrong Sec-WebSocket-Accept: is there a proxy in between?")
    if fields.get(b"sec-websocket-extensions"):
        raise ConnectError("http", "the relay uses an extension that was not offered")
    if fields.get(b"sec-websocket-protocol"):
        raise ConnectError("http", "the relay uses a subprotocol that was not offered")


def _tokens(fields, name):
    return [token.strip().lower() for token in fields.get(name, b"").split(b",")]


# The first 80 bytes, as a line that may go to a log.
def _shown(line):
    return "".join(chr(b) if 32 <= b < 127 else "?" for b in line[:80])
