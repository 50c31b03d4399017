"""Finds what was meant: the example that shares the most telling pieces with what was heard."""

from __future__ import annotations

import math
import re
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar

import numpy as np

from relay.llm.local.text import grams, normalise, without_fillers

KEYWORD_BONUS = 0.2
MAX_CHARS = 300  #: of what was heard; a longer utterance is not small talk


class Known(Protocol):
    """Something that people say, in some ways."""

    @property
    def name(self) -> str: ...
    @property
    def examples(self) -> tuple[str, ...]: ...  # normalised, without fillers
    @property
    def keywords(self) -> tuple[str, ...]: ...  # normalised; speak for it
    @property
    def urgent(self) -> re.Pattern[str] | None: ...  # decides by itself


K_co = TypeVar("K_co", bound=Known, covariant=True)
K = TypeVar("K", bound=Known)


class Vocabulary(Protocol[K_co]):
    """All that is known of one language: `content.Content`, or what the relay does by itself."""

    @property
    def language(self) -> str: ...
    @property
    def threshold(self) -> float: ...
    @property
    def fillers(self) -> frozenset[str]: ...
    @property
    def intents(self) -> Mapping[str, K_co]: ...


def urgent(content: Vocabulary[K], heard: str) -> K | None:
    """An intent whose words decide by themselves: danger."""
    text = normalise(heard)
    for intent in content.intents.values():
        if intent.urgent and intent.urgent.search(text):
            return intent
    return None


class Matcher(Generic[K]):
    """The intents of one language, indexed. Holds no state; about a millisecond for a sentence."""

    def __init__(self, content: Vocabulary[K]) -> None:
        self._content = content
        known = list(content.intents.values())
        self._names = [intent.name for intent in known for _ in intent.examples]
        self._rows: dict[str, int] = {}  # of each gram
        users: list[int] = []  # intents that use the gram of each row
        for intent in known:
            for gram in {gram for example in intent.examples for gram in grams(example)}:
                row = self._rows.setdefault(sys.intern(gram), len(users))
                if row == len(users):
                    users.append(0)
                users[row] += 1
        # Inverse intent frequency: what many intents share (…해 줘, I'm so …) says little.
        total = len(known) + 1
        self._telling = array("d", (math.log(total / count) for count in users))
        self._unknown = math.log(total)  # words never seen are words not understood
        self._starts, self._numbers, self._weights = self._indexed(known)

    def _indexed(self, known: Iterable[K]) -> tuple[array[int], array[int], array[float]]:
        """The examples that have each gram: those of row r, with their weights, begin at starts[r].

        Flat arrays: a quarter of a million pairs as objects would be 25 MB in every relay.
        """
        rows, numbers, weights = array("I"), array("H"), array("d")
        examples = (example for intent in known for example in intent.examples)
        for number, example in enumerate(examples):
            for gram, weight in self._weigh(Counter(grams(example))).items():
                rows.append(self._rows[gram])
                numbers.append(number)
                weights.append(weight)
        of_row = np.frombuffer(rows, np.uint32)
        order = np.argsort(of_row, kind="stable")
        starts = np.searchsorted(of_row[order], np.arange(len(self._rows) + 1))
        return (
            array("I", starts.astype(np.uint32).tobytes()),
            array("H", np.frombuffer(numbers, np.uint16)[order].tobytes()),
            array("d", np.frombuffer(weights, np.float64)[order].tobytes()),
        )

    def match(self, heard: str, names: Iterable[str] = ()) -> K | None:
        """The intent that is meant, or None if it is not clear. `names` are the doll's."""
        if len(heard) > MAX_CHARS:
            return None
        scores = self.scores(heard, names)
        best = max(scores, key=scores.__getitem__, default="")
        threshold = self._content.threshold
        return self._content.intents[best] if best and scores[best] >= threshold else None

    def scores(self, heard: str, names: Iterable[str] = ()) -> dict[str, float]:
        """For each intent with any likeness, the cosine to its nearest example (0 to 1), and the
        bonus if one of its keywords was heard."""
        text = without_fillers(normalise(heard), self._content.fillers.union(names))
        similar: dict[int, float] = defaultdict(float)
        for gram, weight in self._weigh(Counter(grams(text))).items():
            if (row := self._rows.get(gram)) is None:
                continue
            here = slice(self._starts[row], self._starts[row + 1])
            for number, other in zip(self._numbers[here], self._weights[here], strict=True):
                similar[number] += weight * other
        scores: dict[str, float] = defaultdict(float)
        for number, score in similar.items():
            name = self._names[number]
            scores[name] = max(scores[name], score)
        for intent in self._content.intents.values():
            if any(self._has(text, keyword) for keyword in intent.keywords):
                scores[intent.name] += KEYWORD_BONUS
        return scores

    def known_part(self, name: str, heard: str) -> float:
        """How many of the pieces of `heard` some example of this intent has, 0 to 1."""
        pieces = set(grams(heard))
        return sum(self._has_piece(name, piece) for piece in pieces) / len(pieces)

    def _has_piece(self, name: str, gram: str) -> bool:
        if (row := self._rows.get(gram)) is None:
            return False
        examples = self._numbers[self._starts[row] : self._starts[row + 1]]
        return any(self._names[number] == name for number in examples)

    def _weigh(self, counts: Counter[str]) -> dict[str, float]:
        """Of unit length."""
        weights = {
            gram: (1 + math.log(count)) * self._how_telling(gram) for gram, count in counts.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {gram: weight / length for gram, weight in weights.items()}

    def _how_telling(self, gram: str) -> float:
        row = self._rows.get(gram)
        return self._unknown if row is None else self._telling[row]

    def _has(self, text: str, keyword: str) -> bool:
        if self._content.language == "ko":
            return keyword.replace(" ", "") in text.replace(" ", "")
        return f" {keyword} " in f" {text} "
