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
_HOLD_MS = const(15_000)  # without a link: then an answer is lost, and a question too
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
        self._linked = None  # whether the link is up; not known yet
        self._lost_at = now  # when it broke
        self._held = None  # the state that an answer was in that waits for the link
        self._sent = False  # the relay has been told that all was said
        self._garbage = False  # worth a collection, as soon as nothing waits for us
        self.troubles = 0  # how many turns have come to nothing
        self.state = "booting"
        light.show("booting")

    ################################################################################################
    # Events

    # The link to the relay is up (its hello was accepted), or down.
    def on_link(self, up, now):
        self._aborting = False
        was = self._linked
        self._linked = up
        if up:
            self._on_found(now)
        elif was is not False:
            self._lost_at = now
            self._relay.hurry = True
            self._on_lost(now)

    # What button.poll() returned.
    def on_button(self, event, now):
        if event == button.LONG:
            if self._talk == "hold":
                return  # the person is speaking
            self.set_volume(self._quieter())
        log.info("button %s", button.NAMES[event])
        if self._held and event == button.PRESS:  # nobody wants to wait for that
            self._lose(now)
            self._rest(now)
            return
        if self.state in ("booting", "connecting", "updating"):
            self.troubles += event == button.PRESS
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
            self._light.feel(emotion, message.get("light"))

    # The last frame of what was heard has gone, and that it was the last.
    def on_sent(self):
        self._sent = True
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
        if not self._linked:
            self._wait(now)
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
                self.troubles += 1
                self._interrupt(now)
                self._rest(now)
        elif self.state == "speaking":
            if self._speaker.played != self._played:
                self._played = self._speaker.played
                self._since = now
            elif age > _STALL_MS:
                log.warn("turn: the reply stalled")
                self.troubles += 1
                self._interrupt(now)
                self._rest(now)

    # Whether an update may come now. While one does, nobody is heard.
    def begin_update(self, now):
        if self.state == "listening" and self._talk == "free":
            self._cut()
            self._relay.abort()
        elif self.state != "idle":
            return False
        self._microphone.close()
        self._enter("updating", now)
        return True

    # There will be no update after all.
    def end_update(self, now):
        if self.state == "updating":
            self._rest(now)

    # There was no memory for something: what is under way may lack a part, so it ends here.
    def on_lack(self, now):
        if self.state not in ("listening", "thinking", "speaking"):
            return
        self._fail("there was no memory for it")
        if self.state == "listening":
            self._microphone.close()
            self._abort(now)
        else:
            self._interrupt(now)
        self._held = None
        self._relay.holding = False
        self._rest(now)

    # Sets the volume, 0-100, by hand or by the relay.
    def set_volume(self, volume):
        self._speaker.set_volume(volume)
        log.info("volume %d", volume)

    ################################################################################################
    # What they change

    # The link has broken. An answer waits for it, and what has come of it is played; a question is
    # asked on into the microphone's ring.
    def _on_lost(self, now):
        state = self.state
        if state == "speaking" and not self._speaker.is_open():
            return  # all of it is here
        if state == "speaking" or (state == "thinking" and self._sent):
            self._held = state
            self._relay.holding = True
            if state == "speaking":
                return
        elif state == "listening" and self._talk != "free":
            return
        elif state == "thinking":
            self._fail("the question is lost")
        self._rest(now)

    # Time passes without a link.
    def _wait(self, now):
        over = time.ticks_diff(now, self._lost_at) > _HOLD_MS
        if self._held:
            if over:
                self._lose(now)
                self._rest(now)
            elif self.state == "speaking" and not self._speaker.is_playing():
                self._enter("connecting", now)
        elif over and self.state == "listening":
            self._heard(now)

    # The link is back. The relay goes on with the answer if it has kept it.
    def _on_found(self, now):
        held = self._held
        self._held = None
        if held and self._relay.resumed:
            log.info("turn resumed")
            self._enter(held, now)
            return
        if held:
            self._held = held
            self._lose(now)
        elif self.state == "speaking":
            return  # to its end
        elif self.state == "listening":
            if self._mode:
                lost = self._relay.frames_sent + self._microphone.lost
                log.warn("turn: the link broke, listening anew lost=%d", lost)
                self._tell(self._mode)
            return
        self._rest(now)

    # The answer that waited for the link will not come.
    def _lose(self, now):
        speaking = self._held == "speaking"
        self._held = None
        self._relay.holding = False
        self._fail("the answer is lost")
        if speaking:
            self._speaker.flush()
            account.played(self._speaker, self._meter, self._relay)

    def _fail(self, what):
        log.warn("turn: %s", what)
        self.troubles += 1

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
            if self.state in ("booting", "connecting", "updating"):
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

    # The doll is ready for the next turn, as soon as it has a link.
    def _rest(self, now):
        if self._linked:
            self._microphone.ready()
            self._enter("idle", now)
        else:
            self._relay.hurry = self._held is not None
            self._microphone.close()
            self._enter("connecting", now)

    # The microphone opens; the relay is told once it is known how.
    def _hear(self, mode, now):
        self._microphone.open()
        self._mode = None
        self._enter("listening", now)
        if mode:
            self._tell(mode)

    def _tell(self, mode):
        self._mode = mode
        self._sent = False
        log.info("listen start mode=%s", mode)
        self._relay.listen(mode)

    # The person has said all: what was kept is sent, and then that this was all.
    def _heard(self, now):
        self._microphone.close()
        if not self._linked:
            self._fail("the question is lost")
            self._rest(now)
            return
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
        self._abort(now)

    def _abort(self, now):
        log.info("abort")
        self._relay.abort()
        self._aborting = True
        self._abort_at = now

    def _enter(self, state, now):
        self._since = now
        if state != "listening":
            self._mode = None
        self._garbage = state in ("idle", "thinking")
        self._relay.urgent = state in ("thinking", "speaking")
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
