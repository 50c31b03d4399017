# machine.I2S for the microphone and the speaker of a board: two peripherals, or one that is made
# anew for each direction.
#
# I2S is used without asyncio's streams: they write before they poll, which blocks; they copy; and
# on the S3 with octal PSRAM their drain() never returns (micropython #16029). One poll after each
# init() makes readinto() and write() return at once with what there is, and that is all we need.

import select

from machine import I2S, Pin

from . import dsp
from .audio import RATE, UNIT


# The microphone and the speaker, each with a peripheral of its own.
def full_duplex(board):
    ear = I2S(0, **_receiver(board))
    mouth = I2S(1, **_sender(board))
    _never_wait(ear, select.POLLIN)
    _never_wait(mouth, select.POLLOUT)
    return _slot(board, ear), mouth


# One peripheral for both, as in chips that have one only, and on boards where microphone and
# amplifier share their clocks: whoever claims it last has it. Reading while the speaker has it
# finds nothing, writing while the microphone has it goes nowhere; neither takes heap.
#
# Each claim frees the DMA buffers and takes new ones. If the two directions differed in size, the
# larger one could find its place taken by Wi-Fi (micropython #16076), so a board gives both the
# same ibuf. Should it happen all the same, OSError ends the program and the doll starts anew.
class HalfDuplex:
    def __init__(self, board):
        self._receiver = _receiver(board)
        self._sender = _sender(board)
        self._listens = True
        self._i2s = I2S(0, **self._receiver)
        _never_wait(self._i2s, select.POLLIN)
        self._ear = _slot(board, self._i2s)

    # For the microphone. True if it was not so before.
    def listen(self):
        if self._listens:
            return False
        self._i2s.init(**self._receiver)
        _never_wait(self._i2s, select.POLLIN)
        self._listens = True
        return True

    # For the speaker. True if it was not so before.
    def speak(self):
        if not self._listens:
            return False
        self._i2s.init(**self._sender)
        _never_wait(self._i2s, select.POLLOUT)
        self._listens = False
        return True

    def readinto(self, buf):
        return self._ear.readinto(buf) if self._listens else 0

    def write(self, buf):
        return 0 if self._listens else self._i2s.write(buf)


# The right slot of a microphone that is wired so: MONO would take the left one.
class RightSlot:
    def __init__(self, i2s):
        self._i2s = i2s
        self._both = bytearray(8 * UNIT)

    # At most UNIT words.
    def readinto(self, buf):
        n = self._i2s.readinto(self._both) >> 1
        dsp.right(self._both, buf, n >> 2)
        return n


def _slot(board, i2s):
    return RightSlot(i2s) if _in_right_slot(board) else i2s


def _in_right_slot(board):
    return getattr(board, "MIC_IN_RIGHT_SLOT", False)


def _receiver(board):
    return {
        "sck": Pin(board.MIC_SCK),
        "ws": Pin(board.MIC_WS),
        "sd": Pin(board.MIC_SD),
        "mode": I2S.RX,
        "bits": 32,
        "format": I2S.STEREO if _in_right_slot(board) else I2S.MONO,
        "rate": RATE,
        "ibuf": board.MIC_IBUF,
    }


def _sender(board):
    return {
        "sck": Pin(board.SPEAKER_SCK),
        "ws": Pin(board.SPEAKER_WS),
        "sd": Pin(board.SPEAKER_SD),
        "mode": I2S.TX,
        "bits": 16,
        "format": I2S.MONO,
        "rate": RATE,
        "ibuf": board.SPEAKER_IBUF,
    }


def _never_wait(i2s, flag):
    poll = select.poll()
    poll.register(i2s, flag)
    poll.poll(0)
