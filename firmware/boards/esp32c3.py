# ESP32-C3 with INMP441 and MAX98357A, on Espressif's ESP32-C3-DevKitM-1 (BOOT button GPIO 9,
# NeoPixel GPIO 8: docs.espressif.com, ESP32-C3-DevKitM-1 user guide). The chip has one I2S, so the
# doll hears or speaks, never both. The pins keep clear of flash (11-17) and USB (18, 19), and the
# strapping pins (2, 8, 9) carry nothing that could hold them at reset.

NAME = "esp32c3"
CHIP = "esp32c3"
HALF_DUPLEX = True

MIC_SCK = 4
MIC_WS = 5
MIC_SD = 6
MIC_IBUF = 16384  # 8 DMA buffers of 256 samples, 128 ms

SPEAKER_SCK = 7
SPEAKER_WS = 10
SPEAKER_SD = 3
SPEAKER_IBUF = 16384  # as much as the microphone's: see i2s.py. Up to half a second is ahead

BUTTON = 9  # the BOOT button; 0 while it is down

LIGHT = 8
LIGHT_IS_NEOPIXEL = True
