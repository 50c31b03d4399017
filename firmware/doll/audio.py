# The microphone and the speaker of a board, and what they have in common.

from micropython import const

from . import log

RATE = const(16_000)
UNIT = const(256)  # samples in one DMA buffer of the ESP32's driver: 16 ms
UNIT_MS = const(16)
FRAME_MS = const(32)


# The microphone and the speaker of the settings' board. Call it once, before all else.
def make(conf):
    from . import i2s
    from .microphone import Microphone
    from .speaker import Speaker

    place = board(conf)
    if getattr(place, "HALF_DUPLEX", False):
        both = i2s.HalfDuplex(place)
        return (
            Microphone(both, conf.mic_gain, both.listen),
            Speaker(both, conf.buffer_ms, conf.volume, both.speak),
        )
    ear, mouth = i2s.full_duplex(place)
    return Microphone(ear, conf.mic_gain), Speaker(mouth, conf.buffer_ms, conf.volume)


# The pins and facts of that board. Without them the doll does not start: a wrong pin can do harm.
def board(conf):
    try:
        place = __import__("boards." + conf.board, None, None, ("NAME",))
    except ImportError:
        log.error("settings board: there is no file boards/%s.py", conf.board)
        raise
    hold = getattr(place, "HELD_HIGH", ())
    if hold:
        from machine import Pin

        for pin in hold:
            Pin(pin, Pin.OUT, value=1)
    return place
