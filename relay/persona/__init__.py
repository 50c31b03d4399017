"""Who the doll is: characters in TOML, and the prompt that is made of them."""

from relay.persona.base import Exchange, Persona
from relay.persona.loader import PersonaError, load
from relay.persona.prompt import prompt

__all__ = ["Exchange", "Persona", "PersonaError", "load", "prompt"]
