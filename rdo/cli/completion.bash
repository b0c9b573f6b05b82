_rdo_complete() {
    local cur=${COMP_WORDS[COMP_CWORD]} i=1 expected='' word
    COMPREPLY=()
    while [ $i -lt "$COMP_CWORD" ]; do
        word=${COMP_WORDS[i]}
        i=$((i + 1))
        if [ -n "$expected" ]; then
            # `=` is a word of its own here: --profile=NAME, -e NAME=VALUE
            if [ "$word" = = ]; then continue; fi
            expected=
            while [ "${COMP_WORDS[i]}" = = ] && [ $i -lt "$COMP_CWORD" ]; do i=$((i + 2)); done
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
                *) _rdo_complete_command "$COMP_CWORD" ;;
            esac ;;
    esac
}

_rdo_complete_command() {
    if [ "$1" -gt "$COMP_CWORD" ]; then return; fi
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif [ "$COMP_CWORD" -eq "$1" ]; then
        _rdo_reply -c
    else
        _rdo_reply -f
        _rdo_are_files
    fi
}

_rdo_reply() {
    local IFS=$'\n'
    # shellcheck disable=SC2207 # bash 3.2 has no mapfile
    COMPREPLY=($(compgen "$@" -- "$cur"))
}

_rdo_are_files() {
    compopt -o filenames 2>/dev/null
}

complete -F _rdo_complete rdo

_rdoctl_completion() {
    local word last=${COMP_WORDS[COMP_CWORD]} quote=''
    COMPREPLY=()
    # as it was typed: within a quote that is open, or with backslashes, as it is to be then
    case $last in
        [\"\']*) quote=${last:0:1} last=${last:1} ;;
        *) last=${last//\\/} ;;
    esac
    while IFS=$'\t' read -r word _; do
        [ -n "$quote" ] || printf -v word %q "$word"
        COMPREPLY+=("$word")
    done < <(rdoctl __complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$last" 2>/dev/null)
}

complete -F _rdoctl_completion rdoctl
