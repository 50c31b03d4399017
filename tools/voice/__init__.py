"""`doll voice`: the owner's own voices, and the engine that speaks in them."""
