"""The flight recorder: the sound of a doll's turns, kept only while its owner wants that."""
