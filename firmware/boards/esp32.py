# Classic ESP32 with INMP441 and MAX98357A, wired like xiaozhi's "bread compact ESP32" board.
# Without PSRAM there is room for ws://, for wss:// hardly (docs/wiring.md).

NAME = "esp32"
CHIP = "esp32"

MIC_SCK = 26
MIC_WS = 25
MIC_SD = 32
MIC_IBUF = 16384  # 8 DMA buffers of 256 samples, 128 ms: the driver always takes 8 bytes a sample

SPEAKER_SCK = 14
SPEAKER_WS = 27
SPEAKER_SD = 33
SPEAKER_IBUF = 4096  # 8 DMA buffers of 256 samples, 128 ms

BUTTON = 0

LIGHT = 2
LIGHT_IS_NEOPIXEL = False
