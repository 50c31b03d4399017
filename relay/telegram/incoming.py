"""What Telegram tells, as far as the doll understands it. All of it is somebody's input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay.telegram.draft import clean
from relay.telegram.inbox import Message, Press, Voice
from relay.telegram.voice import MOST_BYTES, MOST_SECONDS

if TYPE_CHECKING:
    import telegram


def incoming(update: telegram.Update) -> Message | Press | None:
    """A message or a press of a person; None for all else: edits, channels, other bots."""
    user = update.effective_user
    if user is None or user.is_bot:
        return None
    language = (user.language_code or "").split("-")[0].lower()[:8]
    if (query := update.callback_query) is not None:
        if query.message is None or not query.data:
            return None
        chat, message = query.message.chat.id, query.message.message_id
        return Press(query.id, chat, message, user.id, language, query.data)
    if (told := update.message) is None:
        return None
    voice = told.voice
    return Message(
        told.message_id,
        told.chat.id,
        user.id,
        language,
        clean(told.text or "").strip(),
        Voice(voice.file_id, _seconds(voice), voice.file_size or 0) if voice else None,
        _problem(told),
    )


def _problem(told: telegram.Message) -> str:
    if told.chat.type != "private":
        return "no_groups"
    if told.forward_origin is not None:
        return "forwarded"
    if told.voice is not None:
        size = told.voice.file_size or MOST_BYTES + 1
        too_long = _seconds(told.voice) > MOST_SECONDS or size > MOST_BYTES
        return "voice_too_long" if too_long else ""
    return "" if clean(told.text or "").strip() else "only_words"


def _seconds(voice: telegram.Voice) -> int:
    length = voice.duration
    return length if isinstance(length, int) else int(length.total_seconds())
