"""The embedded brain: no key, no network, no model, and honest about it.

It knows some forty things that people say to a doll, tells the time, does sums, tells stories, and
says so when it did not understand.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Sequence

from relay.llm.base import Emotion, MemoryNote, Part, Request
from relay.llm.local import clock, josa, notes
from relay.llm.local.arithmetic import parse
from relay.llm.local.content import Content, Intent, content, languages
from relay.llm.local.matching import Matcher, urgent
from relay.llm.local.replies import choose, last_said, said_one_of
from relay.llm.local.sums import answers
from relay.llm.local.text import has_hangul, has_latin_word, normalise

_PIECE = re.compile(r"\s*\S+")
_PLACEHOLDER = re.compile(r"{(name|owner|time|date|weekday)}")


class LocalLanguageModel:
    """A LanguageModel. All dolls share its content, which never changes."""

    def __init__(self) -> None:
        self._contents = {language: content(language) for language in languages()}
        self._matchers: dict[str, Matcher[Intent]] = {}
        self._indexing = threading.Lock()

    async def reply(self, request: Request) -> AsyncGenerator[Part, None]:
        """See LanguageModel.reply."""
        # The index of a language takes 2 MB and 30 ms of work when it is first needed: behind a
        # brain that never fails that is never, and otherwise the sound of other dolls goes on.
        if (language := self._language(request)) not in self._matchers:
            await asyncio.to_thread(self._matcher, language)
        variants, emotion = self._answer(request)
        yield Emotion(emotion)
        for piece in _PIECE.findall(choose(variants, request.history, request.text)):
            yield piece
            await asyncio.sleep(0)  # others get their turn between two words, as with any stream
        if (fact := notes.note(request, language)) and not self._urgent(request):
            yield MemoryNote(fact)

    async def close(self) -> None:
        """Nothing is held that had to be given back."""

    def answer(self, request: Request) -> str:
        """The whole answer; the same request always has the same one."""
        variants, _ = self._answer(request)
        return choose(variants, request.history, request.text)

    def _language(self, request: Request) -> str:
        """Recognisers name the wrong language now and then; the script does not."""
        if has_hangul(request.text) and "ko" in self._contents:
            return "ko"
        if has_latin_word(normalise(request.text)) and "en" in self._contents:
            return "en"
        for language in (request.language, *request.persona.languages):
            if language in self._contents:
                return language
        return "en"

    def _urgent(self, request: Request) -> bool:
        """Whether it is about danger: nothing that anybody wants to be reminded of."""
        return urgent(self._contents[self._language(request)], request.text) is not None

    def _matcher(self, language: str) -> Matcher[Intent]:
        with self._indexing:  # once, though the brain before it fails for all dolls together
            if language not in self._matchers:
                self._matchers[language] = Matcher(self._contents[language])
            return self._matchers[language]

    def _answer(self, request: Request) -> tuple[list[str], str]:
        """All the ways to answer, and how the doll feels about it."""
        language = self._language(request)
        known = self._contents[language]
        intent = urgent(known, request.text)
        if intent is None and (sum_ := parse(request.text, language)):
            texts = answers(sum_, known.sums, language)
            return [josa.resolve(text) for text in texts], known.sums.emotion
        intent = intent or self._matcher(language).match(request.text, _calls(request, language))
        if intent is None and notes.note(request, language):
            return list(notes.replies(language)), "happy"
        intent = intent or known.fallback
        if intent.name == "repeat" and (line := last_said(request.history)):
            return [line], intent.emotion
        if intent.name == "again":
            intent = _last_done(request, known, language) or intent
        variants = _filled(_replies(intent, request, language), request, language)
        return variants, intent.emotion


def _replies(intent: Intent, request: Request, language: str) -> tuple[str, ...]:
    _, owner = request.persona.names_in(language)
    return intent.replies if owner or not intent.without_owner else intent.without_owner


def _last_done(request: Request, known: Content, language: str) -> Intent | None:
    """The intent behind the doll's last words: one more of what?"""
    for intent in known.intents.values():
        if said_one_of(request.history, _filled(intent.replies, request, language)):
            return intent
    return None


def _filled(variants: Sequence[str], request: Request, language: str) -> list[str]:
    """Variants with their placeholders filled in, without those that need a name nobody gave."""
    name, owner = request.persona.names_in(language)
    values = {
        "name": name,
        "owner": owner,
        "time": clock.time(request.now, language),
        "date": clock.date(request.now, language),
        "weekday": clock.weekday(request.now, language),
    }
    usable = [variant for variant in variants if owner or "{owner}" not in variant]
    filled = [_PLACEHOLDER.sub(lambda found: values[found[1]], variant) for variant in usable]
    return [josa.resolve(text[:1].upper() + text[1:]) for text in filled]


def _calls(request: Request, language: str) -> tuple[str, ...]:
    """How the doll is called by its name: 차차, 차차야; chacha."""
    name = normalise(request.persona.names_in(language)[0])
    others = tuple(map(normalise, request.persona.wake))
    return (name, f"{name}야", f"{name}아", f"{name}이", *others)
