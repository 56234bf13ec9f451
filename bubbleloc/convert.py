"""``python -m bubbleloc.convert source=<folder> output=data/x/train.h5`` imports published data."""

from pathlib import Path

from bubbleloc.console.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Import a folder of published signals."""
    from bubbleloc.data.importing import import_folder
    from bubbleloc.units import Scale

    known = ("sampling_rate_hz", "speed_of_sound_m_s", "frequency_hz")
    scale = Scale(*(settings[name] for name in known))
    report = import_folder(Path(settings["source"]), Path(settings["output"]), scale)
    for line in report.reasons():
        print(f"skipped {line}")
    print(f"imported {report.imported} signals: {settings['output']}")


if __name__ == "__main__":
    main()
