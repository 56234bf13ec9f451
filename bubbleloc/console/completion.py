"""Completion of commands, settings and choices in bash and zsh."""

from bubbleloc.console.composition import groups, known_settings
from bubbleloc.console.settings import COMMANDS, catalogue

SCRIPT = """_bubbleloc() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} setting="" names=""
    local typed=""
    # in bash "=" is a word of its own, so that a value stands two words after its setting;
    # in zsh a setting and its value are one word
    if [[ $word == ?*=* ]]; then setting=${{word%%=*}} typed=${{word%%=*}}= word=${{word#*=}}
    elif [[ $word == "=" ]]; then setting=$before word=""
    elif [[ $before == "=" ]]; then setting=${{COMP_WORDS[COMP_CWORD-2]}}; fi
    # zsh has no compopt, and adds no space after values either
    if [[ -n $setting ]] || ((COMP_CWORD == 1)); then compopt +o nospace 2>/dev/null; fi
    if ((COMP_CWORD == 1)); then names="{commands}"; else
        case ${{COMP_WORDS[1]}}:$setting in
{cases}
        esac
    fi
    COMPREPLY=($(compgen -P "$typed" -W "$names" -- "$word"))
}}
complete -o default -o nospace -F _bubbleloc bubbleloc
"""


def bash_completion() -> str:
    """Return a script for bash and zsh; what it has no words for, it completes as a file."""
    cases: dict[str, list[str]] = {}
    for command in COMMANDS:
        cases[f"{command}:"] = [f"{name}=" for name in sorted(known_settings(command))]
        cases |= {f"{command}:{name}": options for name, options in _choices(command).items()}
    lines = [f'            {case}) names="{" ".join(words)}" ;;' for case, words in cases.items()]
    return SCRIPT.format(commands=" ".join(COMMANDS), cases="\n".join(lines))


def _choices(command: str) -> dict[str, list[str]]:
    """Return the settings and groups that are one of a few words, with these words."""
    choices = groups(command)
    for name, setting in catalogue(command).items():
        if setting.values.startswith("one of "):
            choices[name] = setting.values.removeprefix("one of ").split(", or ")[0].split(", ")
        elif setting.values == "true or false":
            choices[name] = ["true", "false"]
    return choices
