"""Korean grapheme to phoneme: written text to how it is pronounced.

`normalise` turns numbers, units, Latin letters and signs into Korean words, `respell` writes down
what spelling hides, `rules` are the standard pronunciation rules, and `ipa` are the phonemes that a
voice takes.
"""

from relay.tts.korean.pronounce import pronounce

__all__ = ["pronounce"]
