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
@OPTIONS@

function __rdoctl_offers
    set -l words (commandline -opc)
    set -l last (string unescape -- (string trim -l -c "\"'" -- (commandline -ct)))
    rdoctl __complete $words[2..] "$last" 2>/dev/null
end

complete -c rdoctl -f -a '(__rdoctl_offers)'
