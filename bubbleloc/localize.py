"""``python -m bubbleloc.localize run=<run dir> input=rf.h5 output=bubbles.csv`` finds bubbles."""

from bubbleloc.console.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Localize the bubbles in a file of RF lines."""
    from bubbleloc.localization import localize_file

    found = localize_file(**settings)
    size = f"{found.lines} line{'s' * (found.lines != 1)} × {found.samples} samples"
    said = " (assumed: the file does not say)" if found.rate_is_assumed else ""
    print(f"{settings['input']}: {size} at {found.sampling_rate_hz / 1e6:g} MHz{said}")
    print(f"bubbles: {found.output} ({found.bubbles}, confidence above {found.threshold:g})")
    if found.picture:
        print(f"picture: {found.picture}")


if __name__ == "__main__":
    main()
