"""From positions in frames to the tracks of bubbles."""
