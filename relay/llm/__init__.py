"""The brains of a doll.

`local` is always there; `gemini`, `gemini_legacy` and `openai` need an extra each, so each is
imported only when it is chosen: `from relay.llm.gemini import GeminiModel`.
"""
