# ESP32-S3 with PSRAM, INMP441 and MAX98357A: the reference board. Wired like the "bread compact"
# board of xiaozhi, so that a doll built for that one runs as it is.

NAME = "esp32s3"
CHIP = "esp32s3"

# INMP441. L/R to ground: MONO takes the left slot.
MIC_SCK = 5
MIC_WS = 4
MIC_SD = 6
MIC_IBUF = 16384  # 8 DMA buffers of 256 samples, 128 ms: the driver always takes 8 bytes a sample

# MAX98357A.
SPEAKER_SCK = 15
SPEAKER_WS = 16
SPEAKER_SD = 7
SPEAKER_IBUF = 4096  # 8 DMA buffers of 256 samples, 128 ms

BUTTON = 0  # the BOOT button; 0 while it is down

LIGHT = 48
LIGHT_IS_NEOPIXEL = True
