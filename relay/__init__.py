"""The relay: hears a doll over a WebSocket, thinks, and speaks back."""

import os

from relay.without import without

__version__ = "0.1.0"

# numpy multiplies small matrices here, and in a thread: OpenBLAS, which reads this when it is
# loaded, would share each with threads of its own that spin while they wait for the next one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# It would load what draws tracebacks in colour, 3 MB of it; `relay.log` has plain ones.
with without("rich"):
    import structlog as structlog
