# Runs before main.py: names the doll in the home's network, and keeps the chip's own log off the
# console, where the installer reads the doll's.

import network

network.hostname("doll")
try:
    import esp

    esp.osdebug(None)
except ImportError:  # only ports to ESP32 have it
    pass
