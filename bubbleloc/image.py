"""``python -m bubbleloc.image run=bubbleloc:small`` images an array, line by line localized."""

from bubbleloc.console.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Image the bubbles below an array from its RF lines and from localized lines."""
    from bubbleloc.imaging.run import image_array
    from bubbleloc.report.tables import to_markdown

    made = image_array(**settings)
    height, width = made.pixels
    print(f"images: {made.folder} ({width} × {height} pixels from {made.lines} lines)")
    if made.widths is not None:
        print(f"medians over isolated bubbles, one by one in {made.folder / 'widths.csv'}:")
        print(to_markdown(made.widths))


if __name__ == "__main__":
    main()
