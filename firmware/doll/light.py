# The light says what the doll is doing. A NeoPixel shows colours; a plain LED, on and off. A
# change of state makes a few small tuples; blinking takes no heap.

from micropython import const

# Red, green and blue at full brightness. An open microphone is always shown: nothing else is
# green.
_STATES = {
    "booting": 0x3C3C3C,
    "connecting": 0x003CFF,
    "idle": 0,
    "listening": 0x00FF00,
    "thinking": 0xC87800,
    "speaking": 0xFF3CA0,
    "setup": 0xFFFFFF,
    "reset": 0xFF0000,
    "updating": 0x8C00FF,
    "safe": 0xFF1400,
}

# Milliseconds of one blink; the others are steady.
_BLINKS = {
    "connecting": 1000,
    "setup": 2000,
    "reset": 120,
    "thinking": 240,
    "updating": 500,
    "safe": 2000,
}

# The relay's emotions, as xiaozhi names them. The others keep the colour of speaking.
_EMOTIONS = {
    "happy": 0xFFA000,
    "laughing": 0xFFBE00,
    "funny": 0xFFBE00,
    "sad": 0x1E3CFF,
    "crying": 0x1E3CFF,
    "angry": 0xFF0000,
    "loving": 0xFF005A,
    "kissy": 0xFF005A,
    "surprised": 0xBE00FF,
    "shocked": 0xBE00FF,
    "thinking": 0x7878FF,
    "confused": 0x7878FF,
    "sleepy": 0x3C1E78,
    "relaxed": 0x00A0A0,
    "cool": 0x00A0A0,
}

_OFF = (0, 0, 0)

# A doll that does not check whose relay it talks to says so: a short flash of red, but never while
# its microphone is open. A plain LED can only change for a moment.
_WARN_EVERY_MS = const(3000)
_WARN_MS = const(100)

# A doll whose turns are recorded says so in every state, the open microphone included: a short
# flash of white each second. It goes before the other.
_RECORD_EVERY_MS = const(1000)
_RECORD_MS = const(100)

# What is shown.
_DARK = const(0)
_LIT = const(1)
_WARNING = const(2)
_RECORDING = const(3)


class Light:
    # pixel is a NeoPixel, or None with a plain LED on led; brightness is 0-255.
    def __init__(self, pixel, led, brightness):
        self._pixel = pixel
        self._led = led
        self._emotion = None
        self._colour = None  # of that feeling, where the relay has one for this doll
        self.warns = False  # of an insecure link
        self.records = False  # the relay keeps what is said
        self.brightness = brightness
        self.show("booting")

    def dim(self, brightness):
        self.brightness = brightness
        self.show(self._state)

    def show(self, state):
        if state not in ("thinking", "speaking"):
            self._emotion = self._colour = None  # of the last reply
        self._state = state
        rgb = _STATES[state]
        if state == "speaking":
            rgb = _EMOTIONS.get(self._emotion, rgb) if self._colour is None else self._colour
        k = self.brightness
        colour = (
            (rgb >> 16) * k // 255,
            (rgb >> 8 & 255) * k // 255,
            (rgb & 255) * k // 255,
        )
        lit = 1 if rgb else 0
        if self._pixel:
            self._looks = (_OFF, colour, (k, 0, 0), (k, k, k))
        else:
            self._looks = (0, lit, 1 - lit, 1 - lit)
        self._blink = _BLINKS.get(state, 0)
        self._shown = None
        self._put(_LIT)

    # The doll feels so from here to the end of its reply. colour is what the relay sent along: of
    # that, anything but a number of 24 bits counts as none.
    def feel(self, emotion, colour=None):
        self._emotion = emotion
        self._colour = colour if type(colour) is int and 0 <= colour <= 0xFFFFFF else None
        if self._state == "speaking":
            self.show("speaking")

    # Blinks. Call it every 20 ms or so.
    def tick(self, now):
        if self.records and now % _RECORD_EVERY_MS < _RECORD_MS:
            self._put(_RECORDING)
        elif self.warns and now % _WARN_EVERY_MS < _WARN_MS and self._state != "listening":
            self._put(_WARNING)
        elif self._blink and now % self._blink >= self._blink >> 1:
            self._put(_DARK)
        else:
            self._put(_LIT)

    def _put(self, what):
        if what == self._shown:
            return
        self._shown = what
        if self._pixel:
            self._pixel[0] = self._looks[what]
            self._pixel.write()
        else:
            self._led(self._looks[what])


# The light of a board: a NeoPixel, or a plain LED that lights at 1.
def make(board, brightness):
    from machine import Pin

    pin = Pin(board.LIGHT, Pin.OUT)
    if board.LIGHT_IS_NEOPIXEL:
        from neopixel import NeoPixel

        return Light(NeoPixel(pin, 1), None, brightness)
    return Light(None, pin, brightness)
