# What a turn leaves behind: a line in the log, and a report to the relay.

import gc

from . import log


# What was said to the doll has been sent.
def listened(microphone, meter, relay):
    log.info(
        "listen stop frames=%d lost=%d heap_per_frame=%d",
        relay.frames_sent,
        microphone.lost,
        meter.per_frame(relay.frames_sent),
    )


# A reply was played, or cut off.
def played(speaker, meter, relay):
    log.info("sound stop")
    heap = meter.per_frame(speaker.played)
    free = gc.mem_free()
    log.info(
        "played frames=%d lost=%d underruns=%d heap_per_frame=%d heap_free=%d",
        speaker.played,
        speaker.lost,
        speaker.underruns,
        heap,
        free,
    )
    report = {
        "frames_played": speaker.played,
        "frames_lost": speaker.lost,
        "underruns": speaker.underruns,
        "heap_free": free,
    }
    if heap >= 0:
        report["heap_per_frame"] = heap
    relay.report(report)
