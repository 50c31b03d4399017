# The light says what the doll is doing. A NeoPixel shows colours; a plain LED, on and off. A
# change of state makes one small tuple; blinking takes no heap.

# Red, green and blue at full brightness. An open microphone is always shown: nothing else is
# green.
_STATES = {
    "booting": 0x3C3C3C,
    "connecting": 0x003CFF,
    "idle": 0,
    "listening": 0x00FF00,
    "thinking": 0xC87800,
    "speaking": 0xFF3CA0,
}

# Milliseconds of one blink; the others are steady.
_BLINKS = {"connecting": 1000, "thinking": 240}

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


class Light:
    # pixel is a NeoPixel, or None with a plain LED on led; brightness is 0-255.
    def __init__(self, pixel, led, brightness):
        self._pixel = pixel
        self._led = led
        self._emotion = None
        self.brightness = brightness
        self.show("booting")

    def dim(self, brightness):
        self.brightness = brightness
        self.show(self._state)

    def show(self, state):
        if state not in ("thinking", "speaking"):
            self._emotion = None  # of the last reply
        self._state = state
        rgb = _STATES[state]
        if state == "speaking":
            rgb = _EMOTIONS.get(self._emotion, rgb)
        k = self.brightness
        self._colour = (
            (rgb >> 16) * k // 255,
            (rgb >> 8 & 255) * k // 255,
            (rgb & 255) * k // 255,
        )
        self._blink = _BLINKS.get(state, 0)
        self._lit = None
        self._put(True)

    # The doll feels so from here to the end of its reply.
    def feel(self, emotion):
        self._emotion = emotion
        if self._state == "speaking":
            self.show("speaking")

    # Blinks. Call it every 20 ms or so.
    def tick(self, now):
        if self._blink:
            self._put(now % self._blink < self._blink >> 1)

    def _put(self, lit):
        if lit == self._lit:
            return
        self._lit = lit
        if self._pixel:
            self._pixel[0] = self._colour if lit else _OFF
            self._pixel.write()
        else:
            self._led(1 if lit and self._colour != _OFF else 0)


# The light of a board: a NeoPixel, or a plain LED that lights at 1.
def make(board, brightness):
    from machine import Pin

    pin = Pin(board.LIGHT, Pin.OUT)
    if board.LIGHT_IS_NEOPIXEL:
        from neopixel import NeoPixel

        return Light(NeoPixel(pin, 1), None, brightness)
    return Light(None, pin, brightness)
