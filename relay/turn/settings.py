"""The `turn` section of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """Time limits of a turn, how far its audio runs ahead, and what bridges a wait."""

    head_start_ms: Annotated[int, Ge(0), Le(2000)] = 600  #: audio sent ahead of its playback
    stt_timeout_s: Annotated[float, Gt(0)] = 20.0
    voice_timeout_s: Annotated[float, Gt(0)] = 15.0  #: between two pieces of sound from the voice
    turn_timeout_s: Annotated[float, Gt(0)] = 180.0  #: from the utterance to the last frame
    no_speech_s: Annotated[float, Gt(0)] = 20.0  #: listening in auto mode ends when nobody speaks
    resume_s: Annotated[float, Ge(0), Le(60)] = 15.0  #: an answer waits so long for a lost doll
    early_stt: bool = True  #: recognise at a likely end, before the silence is over
    #: And ask the brain then, if the text reads as finished: only with requests that the day has
    #: left over, so that no turn misses them.
    early_answer: bool = True
    #: A doll that was plugged in greets its owner, but not in quiet hours. Power that comes back at
    #: night wakes nobody unless its owner has asked for this.
    greeting: bool = False
    local_wishes: bool = True  #: volume, stop, repeat, the time … without a brain (relay/intents)

    #: A wait for the quota up to this is silent; a longer one is taken only if no model is free.
    silent_wait_s: Annotated[float, Ge(0), Le(10)] = 2.0
    max_wait_s: Annotated[float, Ge(0), Le(60)] = 15.0  #: no wait for the quota is longer
    auth_pause_s: Annotated[float, Gt(0)] = 300.0  #: a provider that refused the key is left alone
    outage_again_s: Annotated[float, Ge(0)] = 600.0  #: "my small brain" is not said more often

    #: Silence after the end of the question before the doll says "hm, let me think".
    filler_after_s: Annotated[float, Gt(0)] = 1.8
    filler_again_s: Annotated[float, Gt(0)] = 5.0  #: silence between two fillers
    max_fillers: Annotated[int, Ge(0), Le(20)] = 4  #: in one turn; 0 for a doll that says none
    record_lines: bool = True  #: speak fixed lines in advance, while no doll talks, and keep them
