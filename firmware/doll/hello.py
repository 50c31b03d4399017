# The hellos that open a session: what this doll sends and takes.

from . import log
from .audio import FRAME_MS, RATE

_AUDIO = {"format": "adpcm", "sample_rate": RATE, "channels": 1, "frame_duration": FRAME_MS}

_HELLO = {
    "type": "hello",
    "version": 1,
    "transport": "websocket",
    "features": {"report": True, "mcp": True, "resume": True, "token": True, "recorder": True},
    "audio_params": _AUDIO,
}


# This doll's hello; about() says which firmware it has, resume which session it wants to go on
# with, and how far that had come.
def make(about, resume=None):
    message = dict(_HELLO)
    if resume:
        message["resume"] = resume
    if about:
        message["firmware"] = about()
    return message


# The session of the relay's hello; OSError if it is none, or if this doll cannot play its audio.
def accept(message):
    kind = message.get("type") if message else None
    if kind == "error":
        raise OSError("refused: %s" % log.clean(message.get("message")))
    if kind != "hello":
        raise OSError("the relay did not begin with a hello")
    offered = message.get("audio_params")
    for key in ("format", "sample_rate", "frame_duration"):
        value = offered.get(key) if isinstance(offered, dict) else None
        if value != _AUDIO[key]:
            raise OSError(
                "the relay's %s is %s, this doll's %s" % (key, log.clean(value), _AUDIO[key])
            )
    return log.clean(message.get("session_id", ""))[:128]
