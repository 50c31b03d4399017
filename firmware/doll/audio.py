# The two I2S peripherals and what they have in common. microphone.py and speaker.py use them.
#
# I2S is used without asyncio's streams: they write before they poll, which blocks; they copy; and
# on the S3 with octal PSRAM their drain() never returns (micropython #16029). One poll at the
# start makes readinto() and write() return at once with what there is, and that is all we need.

import select

from micropython import const

from . import log

RATE = const(16_000)
UNIT = const(256)  # samples in one DMA buffer of the ESP32's driver: 16 ms
UNIT_MS = const(16)
FRAME_MS = const(32)


# The microphone and the speaker of the settings' board. Call it once, before all else.
def make(conf):
    from .microphone import Microphone
    from .speaker import Speaker

    mic, amp = _i2s(board(conf))
    return Microphone(mic, conf.mic_gain), Speaker(amp, conf.buffer_ms, conf.volume)


# The pins and facts of that board. Without them the doll does not start: a wrong pin can do harm.
def board(conf):
    try:
        return __import__("boards." + conf.board, None, None, ("NAME",))
    except ImportError:
        log.error("settings board: there is no file boards/%s.py", conf.board)
        raise


def _i2s(board):
    from machine import I2S, Pin

    mic = I2S(
        0,
        sck=Pin(board.MIC_SCK),
        ws=Pin(board.MIC_WS),
        sd=Pin(board.MIC_SD),
        mode=I2S.RX,
        bits=32,
        format=I2S.MONO,
        rate=RATE,
        ibuf=board.MIC_IBUF,
    )
    amp = I2S(
        1,
        sck=Pin(board.SPEAKER_SCK),
        ws=Pin(board.SPEAKER_WS),
        sd=Pin(board.SPEAKER_SD),
        mode=I2S.TX,
        bits=16,
        format=I2S.MONO,
        rate=RATE,
        ibuf=board.SPEAKER_IBUF,
    )
    poll = select.poll()
    poll.register(mic, select.POLLIN)
    poll.register(amp, select.POLLOUT)
    poll.poll(0)
    return mic, amp
