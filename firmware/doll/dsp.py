# What is done to every sample, in viper: no heap, a few per cent of the chip. Samples are 16-bit
# signed; loads are sign-extended by hand, because viper's int has 64 bits on the unix port.

from array import array

import micropython


# n 32-bit words of a microphone, from word i of src, become 16-bit samples from dst[j], shifted
# down and clipped. 16 takes the upper half as it is; each bit less doubles the level. I2S.shift
# does not do: it neither clips nor narrows.
@micropython.viper
def narrow(src: ptr16, i: int, n: int, dst: ptr16, j: int, shift: int):
    end = i + n
    while i < end:
        v = (int(src[2 * i + 1]) ^ 0x8000) - 0x8000
        v = (v << 16 | int(src[2 * i])) >> shift
        if v > 32767:
            v = 32767
        elif v < -32768:
            v = -32768
        dst[j] = v
        i += 1
        j += 1


# The right one of each pair of n pairs of 32-bit words.
@micropython.viper
def right(src: ptr32, dst: ptr32, n: int):
    i = 0
    while i < n:
        dst[i] = src[2 * i + 1]
        i += 1


# Takes the DC out of n samples in place, with a high-pass of 10 Hz (one pole: 1/256 a sample), and
# leaves their mean magnitude in state[1]. state[0] carries the DC, 24 bits, 8 of them a fraction.
@micropython.viper
def _remove_dc(buf: ptr16, n: int, state: ptr32):
    dc = ((int(state[0]) & 0xFFFFFF) ^ 0x800000) - 0x800000
    total = 0
    i = 0
    while i < n:
        v = (int(buf[i]) ^ 0x8000) - 0x8000
        dc += v - (dc >> 8)
        v -= dc >> 8
        if v > 32767:
            v = 32767
        elif v < -32768:
            v = -32768
        buf[i] = v
        if v < 0:
            total -= v
        else:
            total += v
        i += 1
    state[0] = dc & 0xFFFFFF
    state[1] = total // n


# The state of remove_dc: the DC, and the level of the last samples (0-32768).
def new_state():
    return array("i", (0, 0))


# Takes the DC out of n samples in place and returns their level, the mean magnitude.
def remove_dc(buf, n, state):
    _remove_dc(buf, n, state)
    return state[1]


# Multiplies n samples in place by gain / 256 and clips them.
@micropython.viper
def volume(buf: ptr16, n: int, gain: int):
    i = 0
    while i < n:
        v = ((int(buf[i]) ^ 0x8000) - 0x8000) * gain >> 8
        if v > 32767:
            v = 32767
        elif v < -32768:
            v = -32768
        buf[i] = v
        i += 1
