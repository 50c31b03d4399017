# Starts the app, or safe mode. main.py calls run() and nothing else, because it stays as it is
# when an update brings a new app.

import asyncio
import gc

import machine

from . import log, settings, setup, slots, starts


# Runs the doll for ever. Raises what nobody foresaw.
def run():
    # What compiling and loading leave behind is collected early, or the heap would be in pieces
    # when everything is loaded.
    gc.threshold(4096)
    conf = settings.load()
    log.debugging = conf.log == "debug"
    if setup.wanted(conf):
        setup.run(conf)
        starts.clear()
        machine.reset()
    if machine.reset_cause() == machine.PWRON_RESET:
        starts.forget_fetches()
        starts.forget_rooms()
    is_safe = starts.is_safe()
    if starts.shall_fetch() or is_safe:
        from . import safe

        asyncio.run(safe.main(conf, is_safe))
        return
    slots.unload("setup")
    from . import audio

    # Before the large modules are loaded: DMA and the rings want memory in one piece (micropython
    # #16076), and compiling leaves it in many.
    sound = audio.make(conf)
    slots.unload("rules", "i2s")  # what is needed once goes before what stays comes

    from . import app, supervisor

    try:
        asyncio.run(app.main(conf, sound))
    except KeyboardInterrupt:
        supervisor.loosen()
        raise
