# The talking doll's firmware, for MicroPython 1.25 or later on an ESP32.
# MIT license; part of the talking doll

__version__ = "0.1.0"
