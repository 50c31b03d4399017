# The turn: who is speaking, and what a button, a message or a sound changes about that. Sans-I/O:
# events and the time come in, calls go out to microphone, speaker, relay and light.
#
#     connecting -> idle -> listening -> thinking -> speaking -> idle, and on a barge-in listening
#
# A press opens the microphone at once. Whether it was a tap (the relay finds the end of what is
# said) or a hold (letting go is the end) is known 300 ms later; what was said until then waits in
# the microphone's ring, so nothing is lost, and the relay is told only then.

import gc
import time

from micropython import const

from . import account, button, log
from .speaker import DRAINED, STARTED, UNDERRUN

_ABORT_MS = const(2000)  # the relay answers an abort with tts stop; it may take so long
_ECHO_MS = const(1000)  # a tts stop so soon after an abort is of the reply that was cut off
_LISTEN_MS = const(60_000)
_THINK_MS = const(60_000)
_STALL_MS = const(15_000)  # a reply without a new frame
_AGAIN_MS = const(200)  # hands-free: between a reply and listening again
_COLLECT_MS = const(60)  # after a turn's words are out: a collection can take as long
_VOLUMES = (100, 75, 50, 25)


class Turn:
    # talk is "hold", "tap" or "free"; now is ticks_ms().
    def __init__(self, microphone, speaker, relay, light, meter, talk, now):
        self._microphone = microphone
        self._speaker = speaker
        self._relay = relay
        self._light = light
        self._meter = meter
        self._talk = talk
        self._mode = None  # how it listens: "manual", "auto", None while a press is undecided
        self._since = now  # of the state
        self._played = 0  # frames, when the reply last moved on
        self._abort_at = time.ticks_add(now, -_ECHO_MS - 1)
        self._aborting = False  # everything up to the relay's tts stop is of the old reply
        self._garbage = False  # worth a collection, as soon as nothing waits for us
        self.state = "booting"
        light.show("booting")

    ################################################################################################
    # Events

    # The link to the relay is up (its hello was accepted), or down.
    def on_link(self, up, now):
        self._aborting = False
        if up:
            self._rest(now)
        elif self.state != "connecting":
            if self.state == "speaking":
                self._speaker.flush()
                account.played(self._speaker, self._meter, self._relay)
            self._microphone.close()
            self._enter("connecting", now)

    # What button.poll() returned.
    def on_button(self, event, now):
        if event == button.LONG:
            if self._talk == "hold":
                return  # the person is speaking
            self.set_volume(self._quieter())
        log.info("button %s", button.NAMES[event])
        if self.state in ("booting", "connecting"):
            return
        if event == button.PRESS:
            if self._talk == "hold" and self.state != "listening":
                self._interrupt(now)
                self._hear(None, now)
        elif event == button.TAP:
            if self.state != "listening":
                self._interrupt(now)
                self._hear("auto", now)
            elif self._mode is None:
                self._tell("auto")
            else:
                self._heard(now)
        elif event == button.HOLD:
            if self.state == "listening" and self._mode is None:
                self._tell("manual")
        elif event == button.RELEASE and self.state == "listening" and self._mode == "manual":
            self._heard(now)

    # A message of the relay; a dictionary, of which nothing else is sure.
    def on_message(self, message, now):
        kind = message.get("type")
        if kind == "tts":
            self._on_tts(message, now)
        elif kind == "stt":
            if not self._aborting and self.state in ("listening", "thinking"):
                log.info("heard %s", log.clean(message.get("text", "")))
                if self._mode == "auto" and self.state == "listening":
                    self._cut()
                    self._enter("thinking", now)
        elif kind == "llm" and not self._aborting:
            emotion = log.clean(message.get("emotion", ""))
            log.info("feels %s", emotion)
            self._light.feel(emotion)

    # The last frame of what was heard has gone, and that it was the last.
    def on_sent(self):
        account.listened(self._microphone, self._meter, self._relay)

    # What the speaker's event was.
    def on_sound(self, event, now):
        if self.state != "speaking":
            return
        if event == STARTED:
            log.info("sound start")
        elif event == UNDERRUN:
            log.warn("sound underrun n=%d", self._speaker.underruns)
        elif event == DRAINED:
            account.played(self._speaker, self._meter, self._relay)
            self._rest(now)

    # Time has passed. No heap unless something is due; call it a few times a second.
    def tick(self, now):
        age = time.ticks_diff(now, self._since)
        if self._aborting and time.ticks_diff(now, self._abort_at) > _ABORT_MS:
            self._aborting = False
        if self._garbage and age >= _COLLECT_MS:
            self._garbage = False
            self._meter.reset()
            gc.collect()
        if self.state == "idle":
            if self._talk == "free" and age >= _AGAIN_MS and not self._aborting:
                self._hear("auto", now)
                self._meter.run()
        elif self.state == "listening":
            if age > _LISTEN_MS and self._mode:
                log.warn("turn: nobody ended the listening")
                self._heard(now)
        elif self.state == "thinking":
            if age > _THINK_MS:
                log.warn("turn: no answer")
                self._interrupt(now)
                self._rest(now)
        elif self.state == "speaking":
            if self._speaker.played != self._played:
                self._played = self._speaker.played
                self._since = now
            elif age > _STALL_MS:
                log.warn("turn: the reply stalled")
                self._interrupt(now)
                self._rest(now)

    # Sets the volume, 0-100, by hand or by the relay.
    def set_volume(self, volume):
        self._speaker.set_volume(volume)
        log.info("volume %d", volume)

    ################################################################################################
    # What they change

    def _on_tts(self, message, now):
        state = message.get("state")
        if state == "stop":
            self._on_stop(now)
        elif self._aborting:
            return
        elif state == "start":
            # While the button is down the person speaks: a reply would be an old one.
            if self.state == "listening" and self._mode != "auto":
                return
            if self.state in ("booting", "connecting"):
                return
            if self.state == "speaking":
                account.played(self._speaker, self._meter, self._relay)
            log.info("reply start")
            if self.state == "listening":
                self._cut()
            else:
                self._microphone.close()
            self._speaker.begin()
            self._played = 0
            self._enter("speaking", now)
        elif state == "sentence_start" and self.state == "speaking":
            log.info("says %s", log.clean(message.get("text", "")))

    def _on_stop(self, now):
        if self._aborting:
            self._aborting = False
            return
        if self.state == "speaking":
            if self._speaker.finish():
                log.info("reply stop")
        elif self.state == "thinking":
            self._rest(now)
        elif self._mode == "auto" and time.ticks_diff(now, self._abort_at) > _ECHO_MS:
            self._cut()
            self._rest(now)

    # The doll is ready for the next turn.
    def _rest(self, now):
        self._microphone.ready()
        self._enter("idle", now)

    # The microphone opens; the relay is told once it is known how.
    def _hear(self, mode, now):
        self._microphone.open()
        self._mode = None
        self._enter("listening", now)
        if mode:
            self._tell(mode)

    def _tell(self, mode):
        self._mode = mode
        log.info("listen start mode=%s", mode)
        self._relay.listen(mode)

    # The person has said all: what was kept is sent, and then that this was all.
    def _heard(self, now):
        self._microphone.close()
        self._relay.listened()
        self._enter("thinking", now)

    # The relay has ended it: what is still here is of no use.
    def _cut(self):
        self._microphone.close()
        self._relay.stop_audio()
        self.on_sent()

    # Barge-in: a reply, or the wait for it, is cut short.
    def _interrupt(self, now):
        if self.state == "speaking":
            over = not self._speaker.flush()
            account.played(self._speaker, self._meter, self._relay)
            if over:  # the relay has said all; there is nothing to abort
                return
        elif self.state != "thinking":
            return
        log.info("abort")
        self._relay.abort()
        self._aborting = True
        self._abort_at = now

    def _enter(self, state, now):
        self._since = now
        if state != "listening":
            self._mode = None
        self._garbage = state in ("idle", "thinking")
        if state in ("listening", "speaking"):
            self._meter.reset()
        if state != self.state:
            self.state = state
            log.info("state %s", state)
            self._light.show(state)

    # The next of the few volumes, round and round.
    def _quieter(self):
        for volume in _VOLUMES:
            if volume < self._speaker.volume:
                return volume
        return _VOLUMES[0]
