# The doll's own network with its setup page: Wi-Fi, sockets, button and light around portal.py.

import asyncio
import os
import socket
import time

import machine
import network
from micropython import const

from . import audio, button, dns, hold, http, light, log, settings, setup
from .portal import Portal

_HTTP_PORT = const(80)
_DNS_PORT = const(53)

_CHORES_MS = const(20)
_IDLE_MS = const(600_000)  # without a visitor; then the known networks get another try
_SAVED_MS = const(3000)  # for the last page to arrive
_CLIENT_MS = const(10_000)  # for one request and its answer
_CLIENTS = const(4)  # at once; the others wait in the queue of the socket
_QUEUE = const(8)
_PIECE = const(512)
_LINGER_MS = const(300)  # in which the rest of a request that is refused is read all the same


class AccessPoint:
    def __init__(self, conf):
        board = audio.board(conf)
        now = time.ticks_ms()
        self._conf = conf
        pin = machine.Pin(board.BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        self._button = button.Button(pin, now)
        self._hold = hold.Hold()
        self._light = light.make(board, conf.light)
        self._clients = 0

    # Returns when the settings are saved or gone, or when the known networks deserve another try.
    async def run(self):
        log.info("state setup")
        self._light.show("setup")
        # The station must be on to see other networks; it has no business to connect to one.
        station = network.WLAN(network.WLAN.IF_STA)
        station.active(True)
        found = _scan(station)
        ap = network.WLAN(network.WLAN.IF_AP)
        ap.config(ssid=setup.ssid(), security=network.AUTH_WPA2_PSK, key=setup.password())
        ap.active(True)
        address = ap.ifconfig()[0]
        ap.ifconfig((address, "255.255.255.0", address, address))  # it is the name server as well
        names = _bound(socket.SOCK_DGRAM, address, _DNS_PORT)
        pages = _bound(socket.SOCK_STREAM, address, _HTTP_PORT)
        pages.listen(_QUEUE)
        secret = os.urandom(16).hex()
        portal = Portal(self._conf, address, secret, found, lambda: _scan(station))
        log.info(
            "setup open ssid=%s password=%s address=http://%s/",
            setup.ssid(),
            setup.password(),
            address,
        )
        tasks = [
            asyncio.create_task(self._answer_names(names, address)),
            asyncio.create_task(self._accept(pages, portal)),
        ]
        try:
            await self._chores(portal, tasks)
        finally:
            for task in tasks:
                task.cancel()
            names.close()
            pages.close()
            ap.active(False)

    # Button, light and time, until it is over.
    async def _chores(self, portal, tasks):
        saved_at = None
        visits = 0
        visited_at = time.ticks_ms()
        while True:
            now = time.ticks_ms()
            if portal.visits != visits:
                visits = portal.visits
                visited_at = now
            self._light.tick(now)
            what = self._hold.poll(self._button.poll(now), True, now)
            if what == hold.SOON:
                self._light.show("booting")  # steady: something is about to happen
            elif what == hold.SETUP:
                self._light.show("setup")
            elif what == hold.RESET:
                await reset(self._conf, self._button, self._light)
                return
            if portal.saved is not None:
                if saved_at is None:
                    saved_at = now
                    log.info("setup saved keys=%s", ",".join(portal.saved))
                elif time.ticks_diff(now, saved_at) > _SAVED_MS:
                    return
            elif self._conf.wifi and time.ticks_diff(now, visited_at) > _IDLE_MS:
                log.info("setup over: nobody came")
                return
            for task in tasks:
                if task.done():
                    await task  # raises what ended it
            await asyncio.sleep_ms(_CHORES_MS)

    async def _answer_names(self, s, address):
        own = bytes(int(n) for n in address.split("."))
        while True:
            try:
                query, peer = s.recvfrom(dns.LONGEST + 1)
                answer = dns.answer(query, own)
                if answer:
                    s.sendto(answer, peer)
            except OSError:  # nothing there, or nobody to send it to
                await asyncio.sleep_ms(_CHORES_MS)
            await asyncio.sleep_ms(0)

    async def _accept(self, s, portal):
        while True:
            if self._clients < _CLIENTS:
                try:
                    client = s.accept()[0]
                except OSError:
                    pass
                else:
                    self._clients += 1
                    asyncio.create_task(self._serve(client, portal))
                    continue
            await asyncio.sleep_ms(_CHORES_MS)

    async def _serve(self, client, portal):
        client.setblocking(False)
        stream = asyncio.StreamReader(client)
        try:
            await asyncio.wait_for_ms(_converse(stream, portal), _CLIENT_MS)
        except (OSError, asyncio.TimeoutError, MemoryError) as e:
            log.debug("setup client %s", log.clean(repr(e)))
        finally:
            client.close()  # a stream's own close() does nothing
            self._clients -= 1


# Everything is forgotten, and the light says so. Returns when the button is let go.
async def reset(conf, pressed, shown):
    settings.reset(conf)
    log.info("reset: the settings are gone")
    shown.show("reset")
    while pressed.is_down():
        now = time.ticks_ms()
        pressed.poll(now)
        shown.tick(now)
        await asyncio.sleep_ms(_CHORES_MS)


async def _converse(stream, portal):
    parser = http.Parser()
    request = None
    try:
        while not request:
            data = await stream.read(_PIECE)
            if not data:
                return
            request = parser.feed(data)
        status, fields, body = portal.answer(request)
    except http.BadRequestError as e:
        status, fields, body = e.status, (), None
    stream.write(http.head(status, fields))
    if not body:
        stream.write(http.REASONS[status].encode() if status >= 400 else b"")
    elif request.method != "HEAD":
        try:
            for line in body:
                stream.write(line)
                await stream.drain()
        finally:
            body.close()
    await stream.drain()
    if not request:
        # What is not read when a connection closes makes TCP reset it, and the answer is lost.
        await asyncio.wait_for_ms(_read_on(stream), _LINGER_MS)


async def _read_on(stream):
    while await stream.read(_PIECE):
        pass


def _bound(kind, address, port):
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(socket.getaddrinfo(address, port, 0, kind)[0][-1])
    s.setblocking(False)
    return s


# Names and signals of the networks on air. Takes two seconds, in which nothing else goes on.
def _scan(station):
    try:
        return [(found[0], found[3]) for found in station.scan()]
    except (OSError, RuntimeError) as e:
        log.warn("setup scan failed: %s", e)
        return []
