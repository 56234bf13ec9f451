"""``bubbleloc map phantom=pair`` or ``input=array.h5`` maps the vessels that bubbles flow in."""

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Map
from bubbleloc.errors import printable


@command
def main(settings: Map) -> None:
    """Find the bubbles in the frames of an array, follow them, and map their vessels."""
    from bubbleloc.maps.run import map_vessels

    made = map_vessels(settings)
    for result in made.results:
        tracks = result.tracks["track"].nunique()
        print(f"{result.name}: {len(result.positions)} positions, {tracks} tracks")
    print(f"report: {printable(made.page)}")


if __name__ == "__main__":
    main()
