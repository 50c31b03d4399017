"""What a doll's session does next: the states of a conversation and the moves between them.

    idle → listening → thinking → speaking → idle, or listening again in realtime mode

Sans-I/O: a call tells what happened and returns what to do, in order.
"""

from __future__ import annotations

from enum import Enum, auto

from relay.hearing.base import ListenMode


class State(Enum):
    """Where the conversation stands."""

    IDLE = auto()
    LISTENING = auto()
    THINKING = auto()  # an utterance is being answered, nothing has been heard of the answer yet
    SPEAKING = auto()


class Do(Enum):
    """What the session carries out."""

    START_HEARING = auto()  # a new utterance begins, in the machine's `mode`
    FINISH_HEARING = auto()  # take what was heard up to now as the utterance
    DROP_HEARING = auto()
    CANCEL_TURN = auto()  # and everything downstream of it
    CARRY_UTTERANCE = auto()  # the cancelled turn was unheard: its utterance goes before the next
    START_TURN = auto()
    SEND_STOP = auto()  # `tts stop`


class Machine:
    """One doll's state. `mode` is that of the last `listen start`."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.mode = ListenMode.AUTO

    def go_on(self, state: State, mode: ListenMode) -> None:
        """Be where another worker's machine was."""
        self.state, self.mode = state, mode

    @property
    def hears(self) -> bool:
        """Whether audio that arrives now is listened to.

        A doll without echo cancellation hears itself: its audio is dropped while it is answered.
        """
        return self.state is State.LISTENING or (
            self.mode is ListenMode.REALTIME and self.state is not State.IDLE
        )

    def listen_start(self, mode: ListenMode) -> list[Do]:
        """The doll opened its microphone. During an answer that is a barge-in."""
        busy = self.busy
        self.state, self.mode = State.LISTENING, mode
        return [Do.CANCEL_TURN, Do.SEND_STOP, Do.START_HEARING] if busy else [Do.START_HEARING]

    def listen_stop(self) -> list[Do]:
        """The doll closed its microphone: in manual mode that ends the utterance."""
        if self.busy and self.mode is ListenMode.REALTIME:
            self.mode = ListenMode.AUTO  # the answer goes on, and nobody listens after it
            return [Do.DROP_HEARING]
        if self.state is not State.LISTENING:
            return []
        if self.mode is ListenMode.MANUAL:
            return [Do.FINISH_HEARING]
        self.state = State.IDLE
        return [Do.DROP_HEARING]

    def greet(self) -> None:
        """The doll has just come, and says something unasked."""
        self.state = State.THINKING

    def utterance(self) -> list[Do]:
        """Something was said, and its end was found."""
        if self.state is State.IDLE:
            return []
        busy = self.busy
        self.state = State.THINKING
        return [Do.CANCEL_TURN, Do.SEND_STOP, Do.START_TURN] if busy else [Do.START_TURN]

    def nothing_heard(self) -> list[Do]:
        """Listening ended with no speech in it."""
        if self.state is not State.LISTENING:
            return []
        self.state = State.IDLE
        return [Do.DROP_HEARING, Do.SEND_STOP]

    def speech_started(self) -> list[Do]:
        """Somebody began to speak. In realtime mode that interrupts an answer."""
        if not self.busy:
            return []
        unheard = self.state is State.THINKING
        self.state = State.LISTENING
        return [Do.CANCEL_TURN, *([Do.CARRY_UTTERANCE] if unheard else []), Do.SEND_STOP]

    def first_audio(self) -> None:
        """The first frame of the answer went out."""
        if self.state is State.THINKING:
            self.state = State.SPEAKING

    def turn_ended(self) -> None:
        """The answer is out to its last frame, or failed; the turn has said `tts stop` itself."""
        if self.busy:
            self.state = State.LISTENING if self.mode is ListenMode.REALTIME else State.IDLE

    def abort(self) -> list[Do]:
        """The doll interrupts. In any state it waits for a `tts stop` (78/xiaozhi-esp32#337)."""
        was, realtime = self.state, self.mode is ListenMode.REALTIME
        if self.busy:
            self.state = State.LISTENING if realtime else State.IDLE
            return [Do.CANCEL_TURN, Do.SEND_STOP]
        if was is State.LISTENING and not realtime:
            self.state = State.IDLE
            return [Do.DROP_HEARING, Do.SEND_STOP]
        return [Do.SEND_STOP]

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way."""
        return self.state in (State.THINKING, State.SPEAKING)
