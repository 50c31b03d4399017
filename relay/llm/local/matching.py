"""Finds what was meant: the example that shares the most telling pieces with what was heard."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar

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


class Matcher(Generic[K]):
    """The intents of one language, indexed. Holds no state; about a millisecond for a sentence."""

    def __init__(self, content: Vocabulary[K]) -> None:
        self._content = content
        self._examples = [
            (intent, Counter(grams(example)))
            for intent in content.intents.values()
            for example in intent.examples
        ]
        users: dict[str, set[str]] = defaultdict(set)
        for intent, counts in self._examples:
            for gram in counts:
                users[gram].add(intent.name)
        # Inverse intent frequency: what many intents share (…해 줘, I'm so …) says little.
        total = len(content.intents) + 1
        self._telling = {g: math.log(total / len(u)) for g, u in users.items()}
        self._unknown = math.log(total)  # words never seen are words not understood
        self._index: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, (_, counts) in enumerate(self._examples):
            for gram, weight in self._weigh(counts).items():
                self._index[gram].append((number, weight))

    def urgent(self, heard: str) -> K | None:
        """An intent whose words decide by themselves: danger."""
        text = normalise(heard)
        for intent in self._content.intents.values():
            if intent.urgent and intent.urgent.search(text):
                return intent
        return None

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
            for number, other in self._index.get(gram, ()):
                similar[number] += weight * other
        scores: dict[str, float] = defaultdict(float)
        for number, score in similar.items():
            name = self._examples[number][0].name
            scores[name] = max(scores[name], score)
        for intent in self._content.intents.values():
            if any(self._has(text, keyword) for keyword in intent.keywords):
                scores[intent.name] += KEYWORD_BONUS
        return scores

    def _weigh(self, counts: Counter[str]) -> dict[str, float]:
        """Of unit length."""
        weights = {
            gram: (1 + math.log(count)) * self._telling.get(gram, self._unknown)
            for gram, count in counts.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {gram: weight / length for gram, weight in weights.items()}

    def _has(self, text: str, keyword: str) -> bool:
        if self._content.language == "ko":
            return keyword.replace(" ", "") in text.replace(" ", "")
        return f" {keyword} " in f" {text} "
