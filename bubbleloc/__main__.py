"""``bubbleloc <command> key=value …`` runs a command; ``bubbleloc --help`` lists them."""

import runpy
import sys

from bubbleloc.errors import BAD_INPUT

USAGE = "bubbleloc <command> key=value …, and bubbleloc <command> --help for its settings"


def main() -> None:
    """Run the command that the first argument names, as ``python -m`` would."""
    from bubbleloc.console.cli import module_of
    from bubbleloc.console.settings import COMMANDS, STUDIES
    from bubbleloc.process import open_streams

    open_streams()
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in COMMANDS:
        del sys.argv[1]
        runpy.run_module(module_of(name), run_name="__main__", alter_sys=True)
    elif name in ("-h", "--help"):
        purposes = {
            command: f"  {command:<10}{(settings.__doc__ or '').partition(chr(10))[0]}"
            for command, settings in COMMANDS.items()
        }
        studies = [purposes.pop(command) for command in STUDIES]
        print("\n".join([USAGE, "", *purposes.values(), "", "Studies:", "", *studies]))
    elif name == "--completion":
        from bubbleloc.console.help import bash_completion

        print(bash_completion())
    else:
        print(
            f"error: unknown command {name!r}; choose one of {', '.join(COMMANDS)}", file=sys.stderr
        )
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
