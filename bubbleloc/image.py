"""``bubbleloc image`` images an array, line by line localized."""

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Image
from bubbleloc.errors import printable


@command
def main(settings: Image) -> None:
    """Image the bubbles below an array from its RF lines and from localized lines."""
    from bubbleloc.console.messages import tell
    from bubbleloc.imaging.run import image_array
    from bubbleloc.tables import to_markdown

    made = image_array(settings)
    for doubt in made.doubts:
        tell(f"warning: {doubt}")
    height, width = made.pixels
    scale = made.scale
    print(f"lines: {scale.sampling_rate_hz / 1e6:g} MHz, {scale.speed_of_sound_m_s:g} m/s")
    folder = printable(made.folder)
    print(f"images: {folder} ({width} × {height} pixels from {made.lines} lines)")
    if made.widths is not None:
        print(f"medians over isolated bubbles, one by one in {folder}/widths.csv:")
        print(to_markdown(made.widths))


if __name__ == "__main__":
    main()
