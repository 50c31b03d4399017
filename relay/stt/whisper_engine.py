"""Whisper on CTranslate2: an utterance in, words and how sure they are out. Blocks; not a provider.

Three things make it quick on a small machine. Whisper is trained on windows of 30 s and is usually
given them; CTranslate2 takes shorter ones, and with 8 s of silence behind the utterance the words
are the same at a third of the time. The encoder runs once for both the language and the words. And
since a short window makes Whisper repeat itself now and then, the number of tokens is capped by the
length of the utterance, and a repetition at the end is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import ctranslate2

from relay.audio import Pcm, duration_s
from relay.stt.features import log_mel
from relay.stt.noise import Hearing
from relay.stt.tokens import Tokens

#: Silence behind the utterance. Less makes Whisper invent an end, more only costs time.
PADDING_S: Final = 8.0

#: Tokens that a second of fast speech can hold; Korean syllables are often two tokens.
TOKENS_PER_S: Final = {"en": 6.0}
TOKENS_PER_S_ELSE: Final = 12.0
#: Tokens besides, so that a word as short as its sound is long still fits.
TOKENS_SPARE: Final = 14

#: Another language must be so many times likelier than the expected one. Whisper base leans to
#: English: it took accented Korean for it at up to 1.9 : 1, and real English at 40 : 1 or more.
EXPECTED: Final = 8.0

#: The first token that is not text (<|endoftext|>), in all multilingual models.
END_OF_TEXT: Final = 50257


class WhisperEngine:
    """One loaded model. Used by one thread at a time."""

    def __init__(self, directory: Path, threads: int, beam: int) -> None:
        self._model = ctranslate2.models.Whisper(
            str(directory), device="cpu", compute_type="int8", intra_threads=threads
        )
        self._tokens = Tokens(directory / "tokenizer.json")
        self._beam = beam

    def knows(self, language: str) -> bool:
        """Whether the model was trained on `language` (ISO 639-1, or -3 where there is none)."""
        is_code = len(language) in (2, 3) and language.isalpha()
        return is_code and self._tokens.special(f"<|{language}|>") is not None

    def hear(self, utterance: Pcm, languages: Sequence[str]) -> Hearing:
        """Recognise `utterance` (16 kHz, at most 30 s) in the likeliest of `languages`, all known.

        Raises RuntimeError when the model fails.
        """
        spectrogram = log_mel(utterance, PADDING_S, self._model.n_mels)
        features = ctranslate2.StorageView.from_array(spectrogram)
        encoded = self._model.encode(features)
        language = languages[0]
        if len(languages) > 1:
            likely = dict(self._model.detect_language(encoded)[0])
            weighed = {code: likely.get(f"<|{code}|>", 0.0) for code in languages}
            weighed[languages[0]] *= EXPECTED
            language = max(languages, key=weighed.__getitem__)
        per_second = TOKENS_PER_S.get(language, TOKENS_PER_S_ELSE)
        result = self._model.generate(
            encoded,
            [["<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>"]],
            beam_size=self._beam,
            max_length=TOKENS_SPARE + round(duration_s(utterance) * per_second),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < END_OF_TEXT]
        text = self._tokens.decode(without_loop(tokens)).strip()
        return Hearing(text, language, result.no_speech_prob, result.scores[0])


def without_loop(tokens: Sequence[int]) -> list[int]:
    """`tokens` without a repetition that runs to their end, its first round kept.

    A loop is a block of four or more tokens twice, or of any length three times; its last round may
    be cut short. So "no, no" and "bye bye" stay, and so does what is repeated in the middle.
    """
    for start in range(len(tokens)):
        rest = tokens[start:]
        for size in range(1, len(rest) // 2 + 1):
            rounds = 2 if size >= 4 else 3
            if len(rest) >= rounds * size and rest[size:] == rest[:-size]:
                return list(tokens[: start + size])
    for start in range(4, len(tokens) - 2):  # begun anew, and cut off by the cap
        rest = tokens[start:]
        if tokens[: len(rest)] == rest:
            return list(tokens[:start])
    return list(tokens)
