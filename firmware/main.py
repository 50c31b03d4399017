# Starts the doll. Ctrl-C ends it and leaves the REPL.

import asyncio

from doll import audio, settings

conf = settings.load()
# Before the large modules are loaded: DMA and the rings want memory in one piece (micropython
# #16076), and compiling leaves it in many.
sound = audio.make(conf)

from doll import app  # noqa: E402

asyncio.run(app.main(conf, sound))
