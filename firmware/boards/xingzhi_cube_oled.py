# Xingzhi Cube 0.96 OLED (nologo), a ready-made xiaozhi box: ESP32-S3, I2S microphone and I2S
# amplifier without a codec, on separate clocks. Pins: github.com/78/xiaozhi-esp32,
# main/boards/nologo/xingzhi-cube-0.96oled-wifi (config.h; the power latch in the .cc file). The
# display stays dark.

NAME = "xingzhi_cube_oled"
CHIP = "esp32s3"

HELD_HIGH = (21,)  # the power latch: without it the box switches itself off on battery

MIC_SCK = 5
MIC_WS = 4
MIC_SD = 6
MIC_IBUF = 16384  # 8 DMA buffers of 256 samples, 128 ms

SPEAKER_SCK = 15
SPEAKER_WS = 16
SPEAKER_SD = 7
SPEAKER_IBUF = 4096  # 8 DMA buffers of 256 samples, 128 ms

BUTTON = 0  # 0 while it is down

LIGHT = 48
LIGHT_IS_NEOPIXEL = True
