"""``python -m bubbleloc.localize run=<run dir> input=rf.h5 output=bubbles.csv`` finds bubbles."""

from bubbleloc.console.cli import Settings, command
from bubbleloc.errors import printable


@command
def main(settings: Settings) -> None:
    """Localize the bubbles in a file of RF lines."""
    from bubbleloc.localization import localize_file

    found = localize_file(**settings)
    size = f"{found.lines} line{'s' * (found.lines != 1)} × {found.samples} samples"
    at = f"{found.scale.sampling_rate_hz / 1e6:g} MHz"
    speed = f"{found.scale.speed_of_sound_m_s:g} m/s (from the {found.speed_of_sound_from})"
    print(f"{printable(settings['input'])}: {size} at {at}, speed of sound {speed}")
    shown = f"{found.bubbles}, confidence above {found.threshold:g}"
    print(f"bubbles: {printable(found.output)} ({shown})")
    if found.picture:
        print(f"picture: {printable(found.picture)}")


if __name__ == "__main__":
    main()
