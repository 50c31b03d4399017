"""A voice detector that takes whatever is loud for a voice."""

from tools.loudness import LoudnessDetector, LoudnessStream

__all__ = ["LoudnessDetector", "LoudnessStream"]
