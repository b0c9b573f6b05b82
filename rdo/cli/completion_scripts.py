"""The completion of `rdo` for bash, zsh and fish: rdo's own options, then the command as a command line. Only text.

The bash part works from bash 3.2 on, which macOS has.
"""

from __future__ import annotations

from rdo.client import argv

HELP = {
    ("-p", "--profile"): "use this profile",
    ("-e", "--env"): "set a variable",
    ("-c",): "run a shell string",
    ("-C",): "run as if started in this directory",
    ("--project",): "use the .rdo.conf of this directory",
    ("--fallback",): "run the local tool if the target cannot be reached",
    ("--dir",): "run in this directory of the target",
    ("--no-map",): "leave local paths in arguments unchanged",
    ("-m", "--map-output"): "rewrite the target paths in output to local ones",
    ("--no-map-output",): "leave paths in output unchanged",
    ("-s", "--sudo"): "run as root",
    ("-u", "--user"): "run as this user",
    ("-t",): "run with a terminal",
    ("-T",): "run without a terminal",
    ("-n",): "give the command an empty stdin",
    ("-v", "--verbose"): "report each step on stderr",
    ("-h", "--help"): "show this help",
    ("--version",): "show the version",
}
"""All options of rdo, with their synonyms."""

ZSH_VALUES = {
    "-p": ":profile:($(rdoctl completion --profiles 2>/dev/null))",
    "-e": ":variable:_parameters -g '*export*'",
    "-c": ":shell string: ",
    "-C": ":directory:_directories",
    "--project": ":directory:_directories",
    "--dir": ":directory of the target: ",
    "-u": ":user of the target: ",
}
FISH_VALUES = {
    "-p": "-x -a '(rdoctl completion --profiles 2>/dev/null)'",
    "-e": "-x -a '(set --names --export)='",
    "-c": "-x",
    "-C": "-x -a '(__fish_complete_directories)'",
    "--project": "-x -a '(__fish_complete_directories)'",
    "--dir": "-x",
    "-u": "-x",
}

BASH = r"""
_rdo_complete() {
    local cur=${COMP_WORDS[COMP_CWORD]} i=1 expected= word
    COMPREPLY=()
    while [ $i -lt $COMP_CWORD ]; do
        word=${COMP_WORDS[i]}
        i=$((i + 1))
        if [ -n "$expected" ]; then
            # `=` is a word of its own here: --profile=NAME, -e NAME=VALUE
            if [ "$word" = = ]; then continue; fi
            expected=
            while [ "${COMP_WORDS[i]}" = = ] && [ $i -lt $COMP_CWORD ]; do i=$((i + 2)); done
            continue
        fi
        case $word in
            --) _rdo_complete_command $i; return ;;
            @VALUES@) expected=$word ;;
            -?*) ;;
            *) _rdo_complete_command $((i - 1)); return ;;
        esac
    done
    if [ "$cur" = = ]; then cur=; fi
    case $expected in
        -p | --profile) _rdo_reply -W "$(rdoctl completion --profiles 2>/dev/null)" ;;
        -e | --env) _rdo_reply -e ;;
        -C | --project) _rdo_reply -d; _rdo_are_files ;;
        ?*) ;;
        *)
            case $cur in
                -*) _rdo_reply -W "@OPTIONS@" ;;
                *) _rdo_complete_command $COMP_CWORD ;;
            esac ;;
    esac
}

_rdo_complete_command() {
    if [ $1 -gt $COMP_CWORD ]; then return; fi
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset $1
    elif declare -F _command_offset >/dev/null; then
        _command_offset $1
    elif [ $COMP_CWORD -eq $1 ]; then
        _rdo_reply -c
    else
        _rdo_reply -f
        _rdo_are_files
    fi
}

_rdo_reply() {
    local IFS=$'\n'
    COMPREPLY=($(compgen "$@" -- "$cur"))
}

_rdo_are_files() {
    compopt -o filenames 2>/dev/null
}

complete -F _rdo_complete rdo
"""

ZSH = r"""
_rdo() {
    _arguments -s -S -A '-*' \
@OPTIONS@
        '(-)1: :{ _command_names -e }' \
        '*:: :{ _normal }'
}

compdef _rdo rdo
"""

FISH = r"""
# The words of the command, if it has begun.
function __rdo_command
    set -l words (commandline -opc) (commandline -ct)
    argparse -s @SPECS@ -- $words[2..-1] 2>/dev/null
    or return 1
    test -n "$argv[1]"
    or return 1
    string match -qr -- '^-' $argv[1]
    and return 1
    string join0 -- $argv
end

function __rdo_complete_command
    set -l words (__rdo_command | string split0)
    test (count $words) -gt 0
    and complete -C (string join ' ' -- (string escape -- $words[1..-2]) $words[-1])
    or complete -C ''
end

function __rdo_options
    not __rdo_command >/dev/null
end

complete -c rdo -x -a '(__rdo_complete_command)'
"""


def of(shell: str) -> str:
    """The script of a shell."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()


def _bash() -> str:
    options = "\n".join(name for names in HELP for name in names)
    return BASH.replace("@OPTIONS@", options).replace("@VALUES@", " | ".join(argv.VALUES))


def _zsh() -> str:
    lines = []
    for names, text in HELP.items():
        value = ZSH_VALUES.get(names[0], "").replace("'", "'\\''")
        for name in names:
            sign = "" if not value else "=" if name.startswith("--") else "+"
            repeat = "*" if names[0] == "-e" else f"({' '.join(names)})"
            lines.append(f"        '{repeat}{name}{sign}[{text}]{value}' \\")
    return ZSH.replace("@OPTIONS@", "\n".join(lines))


def _fish() -> str:
    lines = []
    for names, text in HELP.items():
        switches = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in names)
        lines.append(f"complete -c rdo -n __rdo_options {switches} {FISH_VALUES.get(names[0], '')} -d '{text}'")
    return FISH.replace("@SPECS@", _fish_specs()) + "\n".join(lines) + "\n"


def _fish_specs() -> str:
    """The options as argparse of fish has them: `p/profile=`; one without a letter gets none by `L-`."""
    specs = []
    for names in HELP:
        value = "=" if names[0] in argv.VALUES else ""
        words = [name.lstrip("-") for name in names]
        specs.append("/".join(words) + (value + "+" if names[0] == "-e" else value))
    return " ".join(specs)
