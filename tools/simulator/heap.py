"""How large a heap makes the simulated board as short of memory as a real one."""

from __future__ import annotations

#: What the firmware takes here, where words have 64 bits, for one byte on a board, where they have
#: 32. Objects double; bytecode, texts and buffers do not. Measured with the same .mpy files on the
#: unix port and on the WebAssembly port, which has words of 32 bits: the doll at rest takes
#: 115,456 and 88,192 bytes (1.31); a link that opens 12,480 and 9,904 more (1.26), an update 13,696
#: and 11,264 (1.22).
WIDER = 1.31

#: KB that tools/simulator/board takes, measured by gc.mem_alloc(): no board has that.
_HARDWARE_KB = 43

#: What is left of MicroPython's heap for objects; the rest is its tables.
_USABLE = 0.984

#: KB for Python's objects on an ESP32 without PSRAM, the smallest board there is: its heap begins
#: with 56 KB, and after it has grown once `micropython.mem_info()` gives 112,000 bytes. It cannot
#: be counted on to grow again: ESP-IDF has 97 KB left then, no 32 of them in one piece, and wants
#: them for I2S, Wi-Fi and TLS (a board's account of it is in micropython #14421).
ESP32_KB = 109


def heap_option(board_kb: int) -> list[str]:
    """MicroPython's option for a heap like that of a board with `board_kb` KB for Python."""
    return ["-X", f"heapsize={round((WIDER * board_kb + _HARDWARE_KB) / _USABLE)}K"]
