"""`doll flash`, `doll logs`, `doll shell`: puts the firmware on a board and looks at it there."""
