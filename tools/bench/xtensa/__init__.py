"""Runs what mpy-cross makes for the ESP32, instruction by instruction, and counts."""
