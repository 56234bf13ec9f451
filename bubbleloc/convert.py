"""``bubbleloc convert source=<folder> output=data/x/train.h5`` imports published data."""

from pathlib import Path

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Convert


@command
def main(settings: Convert) -> None:
    """Import a folder of published signals."""
    from bubbleloc.data.importing import import_folder
    from bubbleloc.units import Scale

    scale = Scale(settings.sampling_rate_hz, settings.speed_of_sound_m_s, settings.frequency_hz)
    report = import_folder(Path(settings.source), Path(settings.output), scale)
    for line in report.reasons():
        print(f"skipped {line}")
    print(f"imported {report.imported} signals: {settings.output}")


if __name__ == "__main__":
    main()
