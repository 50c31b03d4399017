# IMA ADPCM, four bits a sample, in viper: no heap is used per call.
#
# A frame on the wire is 260 bytes for 512 samples (32 ms at 16 kHz): the predictor (int16, little
# endian), the step index (0-88) and a zero, all as they were before the first sample, and then
# 256 bytes with the earlier sample in the high nibble. So each frame decodes by itself, and the
# 256 bytes are bit by bit what CPython's audioop makes, which is the codec of the relay.
#
# Two traps in viper: its int has 64 bits on the unix port and 32 on the board, so a 16-bit load is
# sign-extended by hand; and a constant over 0x3FFFFFFF does not compile for the board.

from array import array

import micropython
from micropython import const

FRAME_SAMPLES = const(512)
FRAME_BYTES = const(260)
_HEADER = const(4)
_MAX_INDEX = const(88)

# fmt: off
_STEPS = array("H", (
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60,
    66, 73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371,
    408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878,
    2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845,
    8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086,
    29794, 32767))
# fmt: on


# Makes n samples of src into n / 2 bytes at dst[start:]. The state is (predictor, step index).
@micropython.viper
def _encode(src: ptr16, n: int, dst: ptr8, start: int, state: ptr16, steps: ptr16):
    predictor = (int(state[0]) ^ 0x8000) - 0x8000
    index = int(state[1])
    i = 0
    byte = 0
    while i < n:
        step = int(steps[index])
        rest = (int(src[i]) ^ 0x8000) - 0x8000 - predictor
        code = 0
        if rest < 0:
            code = 8
            rest = 0 - rest
        change = step >> 3
        if rest >= step:
            code |= 4
            rest -= step
            change += step
        step >>= 1
        if rest >= step:
            code |= 2
            rest -= step
            change += step
        step >>= 1
        if rest >= step:
            code |= 1
            change += step
        if code & 8:
            predictor -= change
            if predictor < -32768:
                predictor = -32768
        else:
            predictor += change
            if predictor > 32767:
                predictor = 32767
        if code & 4:
            index += ((code & 3) + 1) << 1
            if index > 88:
                index = 88
        elif index:
            index -= 1
        if i & 1:
            dst[start + (i >> 1)] = byte | code
        else:
            byte = code << 4
        i += 1
    state[0] = predictor
    state[1] = index


# Makes n / 2 bytes at src[start:] into n samples of dst.
@micropython.viper
def _decode(src: ptr8, start: int, n: int, dst: ptr16, predictor: int, index: int, steps: ptr16):
    i = 0
    while i < n:
        code = int(src[start + (i >> 1)])
        if not i & 1:
            code >>= 4
        step = int(steps[index])
        change = step >> 3
        if code & 4:
            change += step
        if code & 2:
            change += step >> 1
        if code & 1:
            change += step >> 2
        if code & 8:
            predictor -= change
            if predictor < -32768:
                predictor = -32768
        else:
            predictor += change
            if predictor > 32767:
                predictor = 32767
        if code & 4:
            index += ((code & 3) + 1) << 1
            if index > 88:
                index = 88
        elif index:
            index -= 1
        dst[i] = predictor
        i += 1


# The state of an encoder that has heard nothing yet: predictor and step index.
def new_state():
    return array("H", (0, 0))


# Encodes the 512 samples of pcm to a frame, and moves the state on.
def encode(pcm, frame, state):
    frame[0] = state[0] & 0xFF
    frame[1] = state[0] >> 8
    frame[2] = state[1]
    frame[3] = 0
    _encode(pcm, FRAME_SAMPLES, frame, _HEADER, state, _STEPS)


# Decodes a frame to 512 samples. False if its header cannot be true: pcm is then as it was.
def decode(frame, pcm):
    if frame[2] > _MAX_INDEX or frame[3]:
        return False
    predictor = ((frame[0] | frame[1] << 8) ^ 0x8000) - 0x8000
    _decode(frame, _HEADER, FRAME_SAMPLES, pcm, predictor, frame[2], _STEPS)
    return True
