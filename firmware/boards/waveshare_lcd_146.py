# Waveshare ESP32-S3-Touch-LCD-1.46 and 1.46B: ESP32-S3 with PSRAM, an I2S microphone that speaks
# in the right slot, and a PCM5101 with amplifier, on separate clocks. Pins and slot:
# github.com/78/xiaozhi-esp32, main/boards/waveshare/esp32-s3-touch-lcd-1.46 (config.h and the .cc
# file). The display shows nothing; its backlight is the light.

NAME = "waveshare_lcd_146"
CHIP = "esp32s3"

HELD_HIGH = (7,)  # the power latch: without it the board switches itself off on battery

MIC_SCK = 15
MIC_WS = 2
MIC_SD = 39
MIC_IN_RIGHT_SLOT = True
MIC_IBUF = 16384  # 8 DMA buffers of 256 samples, 128 ms

SPEAKER_SCK = 48
SPEAKER_WS = 38
SPEAKER_SD = 47
SPEAKER_IBUF = 4096  # 8 DMA buffers of 256 samples, 128 ms

BUTTON = 0  # 0 while it is down

LIGHT = 5
LIGHT_IS_NEOPIXEL = False
