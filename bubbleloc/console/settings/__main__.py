"""``python -m bubbleloc.console.settings`` prints docs/settings.md."""

from bubbleloc.console.help import markdown

if __name__ == "__main__":
    print(markdown(), end="")
