# shellcheck shell=sh
# Reads orders, one per line. At their end, it ends every group that is still listed: with TERM, and with KILL if any of
# it is left 2 seconds later. PROTOCOL.md describes the orders.
#
# A group is signalled only if it was found to belong to a shell that has proved to be ours, or to a child of it; or,
# after its leader has ended, to have a process in the session of that shell. While its leader is running, the group is
# signalled only if the leader's start time is still the same, so that its number has not been reused.
#
# On the wire: is_number=n look_up=i recall_group=f note_group=v is_same_group=o can_kill=c send_to_each=m send_signal=k
# On the wire: is_any_left=a listed_groups=g noted_groups=h leader_parent=e leader_began=b leader_stat=t stat_line=l
# On the wire: noted_begin=d one_process=x any_process=A its_group=y group_reached=r one_entry=q other_entries=w
# On the wire: read_stat=B is_in_session=C one_stat=D
# On the wire: order_word=u order_group=p order_value=s order_shell=z times_tried=j
listed_groups=
noted_groups=
# When `kill` answers 0, because a process got the signal, there may be nobody left to read that.
trap '' PIPE

# is_number WORD: whether it is the number of a process or group that may be signalled: not 1, and not our own.
is_number() {
    case $1 in
    ""|0*|1|*[!0-9]*|"$$") return 1 ;;
    esac
}

# read_stat FILE: sets $leader_stat to what follows the program's name in proc(5). The name is in parentheses, and may
# contain anything. `##` is not used, since in dash it takes longer than everything else that an order needs.
read_stat() {
    leader_stat=
    while IFS= read -r stat_line; do
        leader_stat="$leader_stat$stat_line"
    done <"$1"
    while case $leader_stat in *") "*) ;; *) false ;; esac; do
        leader_stat=${leader_stat#*") "}
    done
}

# look_up PROCESS: sets $leader_parent and $leader_began, both empty if there is no such process. Where there is /proc,
# this starts no process: in a burst of commands, many of which are already over, each `ps` would be a cost for the
# target.
look_up() {
    leader_parent=
    leader_began=
    if [ -r "/proc/$1/stat" ]; then
        read_stat "/proc/$1/stat"
        # shellcheck disable=SC2086 # fields
        set -- $leader_stat
        leader_parent=$2
        leader_began=${20-}
    elif [ ! -r "/proc/$$/stat" ]; then
        # shellcheck disable=SC2046 # fields
        set -- $(ps -o ppid= -o lstart= -p "$1" 2>/dev/null)
        leader_parent=${1-}
        leader_began="${2-}${3-}${4-}${5-}${6-}"
    fi
}

# recall_group GROUP: sets $noted_begin to the start time of its leader; fails if the group was not noted.
recall_group() {
    noted_begin=
    case "$noted_groups " in
    *" $1="*)
        noted_begin=${noted_groups##*" $1="}
        noted_begin=${noted_begin%% *}
        ;;
    *) return 1 ;;
    esac
}

# is_in_session GROUP SESSION: whether a process of the group is in the session. Requires /proc.
is_in_session() {
    for one_stat in /proc/[1-9]*/stat; do
        read_stat "$one_stat" 2>/dev/null
        # shellcheck disable=SC2086 # fields: after these two are state, parent, group and session
        set -- "$1" "$2" $leader_stat
        [ "${5-}" = "$1" ] && [ "${6-}" = "$2" ] && return
    done
    return 1
}

# note_group GROUP SHELL: notes the start time of its leader. Fails if that is neither our shell nor a child of it, and
# has not left a group in the shell's session: a leader killed by a signal before it is noted leaves its children
# behind.
note_group() {
    is_number "$1" && is_number "$2" || return 1
    look_up "$1" 2>/dev/null
    [ "$1" = "$2" ] || [ "$leader_parent" = "$2" ] || {
        [ -z "$leader_began" ] && is_in_session "$1" "$2"
    } && noted_groups="$noted_groups $1=$leader_began"
}

# is_same_group GROUP: whether it was noted, and its leader is the same or gone.
is_same_group() {
    recall_group "$1" || return 1
    look_up "$1" 2>/dev/null
    [ -z "$leader_began" ] || [ "$leader_began" = "$noted_begin" ]
}

# can_kill: whether `kill` is a builtin, and so is found without any program. The program is never used: that of procps
# 4.0 reads `-TERM -123` as -1, which is every process. `$(command -v kill)` is not used either, since it takes longer
# than everything else here.
can_kill() {
    PATH=/dev/null kill -0 $$ 2>/dev/null
}

# send_to_each GROUP SIGNAL: signals each process of the group, if `kill` is a program (posh).
send_to_each() {
    for one_process in $(ps -A -o pid= -o pgid= 2>/dev/null | while read -r any_process its_group; do
        [ "$its_group" != "$1" ] || echo "$any_process"
    done); do
        is_number "$one_process" && kill "-$2" "$one_process" 2>/dev/null && group_reached=$1
    done
    [ "$group_reached" = "$1" ]
}

# send_signal GROUP SIGNAL: fails if no process got it. For a group, dash needs `--` after `-s NAME`; busybox takes that
# for a process, and fails after it has sent the signal. All of them understand `-NAME -GROUP`. sudo runs a shell, for
# its builtin.
send_signal() {
    is_same_group "$1" || return 1
    group_reached=
    if can_kill; then
        kill "-$2" "-$1" 2>/dev/null
    else
        send_to_each "$1" "$2"
    fi || kill "-$2" "$1" 2>/dev/null || sudo -n /bin/sh -c @KILL_GROUP@ "$2" "$1" 2>/dev/null
}

while read -r order_word order_group order_value order_shell; do
    case $order_word in
    add) note_group "$order_group" "$order_value" && listed_groups="$listed_groups $order_group" ;;
    drop)
        other_entries=
        for one_entry in $listed_groups; do
            [ "$one_entry" = "$order_group" ] || other_entries="$other_entries $one_entry"
        done
        listed_groups=$other_entries
        other_entries=
        for one_entry in $noted_groups; do
            [ "${one_entry%%=*}" = "$order_group" ] || other_entries="$other_entries $one_entry"
        done
        noted_groups=$other_entries
        ;;
    know) note_group "$order_group" "$order_value" ;;
    kill)
        recall_group "$order_group" || note_group "$order_group" "$order_shell"
        send_signal "$order_group" "$order_value"
        echo $? 2>/dev/null
        ;;
    esac
done

is_any_left() {
    for order_group in $listed_groups; do
        send_signal "$order_group" 0 && return
    done
    return 1
}

times_tried=0
for order_group in $listed_groups; do
    send_signal "$order_group" TERM
done
# In POSIX, sleep takes whole seconds only; most systems accept less.
while is_any_left && [ $times_tried -lt 20 ]; do
    sleep 0.1 2>/dev/null || {
        sleep 1
        times_tried=$((times_tried+9))
    }
    times_tried=$((times_tried+1))
done
for order_group in $listed_groups; do
    send_signal "$order_group" KILL
done
