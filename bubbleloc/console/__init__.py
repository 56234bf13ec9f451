"""How a command talks with a person: settings, messages, progress, signals."""
