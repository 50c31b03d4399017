"""What the dolls remember: the turns, in short what was before them, and facts about the owner."""
