# Starts the doll. Ctrl-C ends it and leaves the REPL.

import asyncio

from doll import app

asyncio.run(app.main())
