# Streams both ways at once through the doll's own microphone, speaker and link, and prints what
# became of it. The argument is JSON: the relay's "url", "ms" to stream, whether "up", and how many
# "frames" the relay is asked to send down.

import asyncio
import gc
import json
import sys
import time

import machine  # the simulated board is no part of what the firmware takes
import neopixel  # noqa: F401
import network  # noqa: F401

gc.collect()
_board = gc.mem_alloc()

from doll import app, audio, log, settings  # noqa: F401, E402
from doll.backoff import Backoff  # noqa: E402
from doll.meter import Meter  # noqa: E402
from doll.relay import Relay  # noqa: E402
from doll.speaker import DRAINED, NOTHING  # noqa: E402
from doll.wifi import Wifi  # noqa: E402

_STEADY_MS = 1000  # after the first messages, and before the last ones
_LAST_MS = 20_000

told = json.loads(sys.argv[1])
log._line = lambda level, text: None
state = {"up": False, "sent": False, "drained": False}


async def until(key):
    end = time.ticks_add(time.ticks_ms(), _LAST_MS)
    while not state[key] and time.ticks_diff(end, time.ticks_ms()) > 0:
        await asyncio.sleep_ms(20)


async def hear(microphone):
    while True:
        await asyncio.sleep_ms(0 if microphone.step() else 4)


async def speak(speaker):
    while True:
        if not speaker.step():
            await asyncio.sleep_ms(4)
            continue
        if speaker.event == DRAINED:
            state["drained"] = True
        speaker.event = NOTHING
        await asyncio.sleep_ms(0)


async def main():
    conf = settings.Settings({"wifi": [{"ssid": "bench"}]}, False)
    microphone, speaker = audio.make(conf)
    link = Relay(
        told["url"],
        [("Device-Id", "bench"), ("Protocol-Version", "1")],
        None,
        False,
        Wifi(conf.wifi, Backoff()),
        microphone,
        speaker,
        Meter(),
    )

    def on_message(message):
        if message.get("state") == "start":
            speaker.begin()
        elif message.get("state") == "stop":
            speaker.finish()

    link.on_message = on_message
    link.on_link = lambda up: state.update(up=up)
    link.on_sent = lambda: state.update(sent=True)
    for task in (link.run(), hear(microphone), speak(speaker)):
        asyncio.create_task(task)
    await until("up")
    gc.collect()
    connected = gc.mem_alloc() - _board

    link.send({"type": "bench", "frames": told["frames"]})
    microphone.ready()
    if told["up"]:
        microphone.open()
        link.listen("realtime")
    await asyncio.sleep_ms(_STEADY_MS)
    gc.collect()
    mark = gc.mem_alloc()
    frames = link.frames_sent + speaker.played
    end = time.ticks_add(time.ticks_ms(), told["ms"] - 2 * _STEADY_MS)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        await asyncio.sleep_ms(20)
    grown = gc.mem_alloc() - mark
    frames = link.frames_sent + speaker.played - frames

    if told["up"]:
        microphone.close()
        link.listened()
        await until("sent")
    if told["frames"]:
        await until("drained")
    await asyncio.sleep_ms(500)  # until the last of it is out
    print(
        json.dumps(
            {
                "heap_connected": connected,
                "heap_grown": grown,
                "heap_frames": frames,
                "up_sent": link.frames_sent,
                "up_dropped": microphone.lost,
                "down_played": speaker.played,
                "down_bad": speaker.lost,
                "underruns": speaker.underruns,
                "link_held": state["up"],
            }
        )
    )


machine.Pin(0)
asyncio.run(main())
sys.exit(0)
