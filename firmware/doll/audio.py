# The two I2S peripherals and what they have in common. microphone.py and speaker.py use them.
#
# I2S is used without asyncio's streams: they write before they poll, which blocks; they copy; and
# on the S3 with octal PSRAM their drain() never returns (micropython #16029). One poll at the
# start makes readinto() and write() return at once with what there is, and that is all we need.

import select

from micropython import const

RATE = const(16_000)
UNIT = const(256)  # samples in one DMA buffer of the ESP32's driver: 16 ms
UNIT_MS = const(16)
FRAME_MS = const(32)


# Makes both I2S objects of the board. Call it once, before Wi-Fi: later there may be no memory
# that DMA can use (micropython #16076).
def open_i2s(board):
    from machine import I2S, Pin

    microphone = I2S(
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
    speaker = I2S(
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
    poll.register(microphone, select.POLLIN)
    poll.register(speaker, select.POLLOUT)
    poll.poll(0)
    return microphone, speaker
