# ESP32-S2 with INMP441 and MAX98357A, on the LOLIN S2 Mini (LED GPIO 15, button GPIO 0, 2 MB of
# PSRAM: wemos.cc, S2 mini). The chip has one I2S, so the doll hears or speaks, never both.

NAME = "esp32s2"
CHIP = "esp32s2"
HALF_DUPLEX = True

MIC_SCK = 5
MIC_WS = 4
MIC_SD = 6
MIC_IBUF = 16384  # 8 DMA buffers of 256 samples, 128 ms

SPEAKER_SCK = 7
SPEAKER_WS = 9
SPEAKER_SD = 11
SPEAKER_IBUF = 16384  # as much as the microphone's: see i2s.py. Up to half a second is ahead

BUTTON = 0  # the button marked 0; 0 while it is down

LIGHT = 15
LIGHT_IS_NEOPIXEL = False
