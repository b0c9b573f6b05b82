_rdo() {
    _arguments -s -S -A '-*' \
@OPTIONS@
        '(-)1: :{ _command_names -e }' \
        '*:: :{ _normal }'
}

compdef _rdo rdo

_rdoctl() {
    local -a offers
    local word help
    while IFS=$'\t' read -r word help; do
        offers+=("${word//:/\\:}${help:+:$help}")
    done < <(rdoctl __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    _describe -V rdoctl offers
}

compdef _rdoctl rdoctl
