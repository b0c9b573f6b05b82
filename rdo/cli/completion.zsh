_rdo() {
    _arguments -s -S -A '-*' \
@OPTIONS@
        '(-)1: :{ _command_names -e }' \
        '*:: :{ _normal }'
}

compdef _rdo rdo
