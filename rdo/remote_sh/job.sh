# shellcheck shell=sh
# Runs the command as a job, so that Ctrl-Z stops it and the shell notices. If the shell has no job control, the command
# is just run.
#
# On the wire: wait_for_job=rdo_w rdo_status=rdo_r rdo_modes=rdo_m rdo_line=rdo_x
# On the wire: rdo_mark=rdo_k rdo_bell=rdo_b
# shellcheck disable=SC2154 # $rdo_mark and $rdo_bell are set by prove.sh

# ksh, zsh and posh give no job the terminal unless they are interactive.
[ -n "${KSH_VERSION-}${ZSH_VERSION-}${POSH_VERSION-}" ] || command set -m 2>/dev/null
case $- in
*m*) ;;
*) exec @COMMAND@ ;;
esac

# The shell's own messages about jobs are discarded, except with bash: it prints none here, and gives a job the terminal
# through its own stderr.
exec 3>&2
[ -n "${BASH_VERSION-}" ] || exec 2>/dev/null

# A stopped job ends every loop in bash, so the wait is a function that calls itself. The line that continues the job is
# read with echo off, from a terminal that the job may have left in raw mode. It may be preceded by earlier input.
wait_for_job() {
    rdo_status=$?
    kill -0 %% 2>/dev/null || exit $rdo_status
    rdo_modes=$(stty -g)
    stty sane -echo
    echo "$rdo_mark;stopped$rdo_bell"
    while read -r rdo_line; do
        case $rdo_line in *@NONCE@) break ;; esac
    done
    stty "$rdo_modes"
    echo "$rdo_mark;ready$rdo_bell"
    fg >/dev/null
    wait_for_job
}

# The job's process id has to be reported without a program that gets the secret as an argument; so a program prints
# only its parent's id. dash redirects its own stderr while a command runs, so the job restores it.
(
    echo "$rdo_mark;group;$(exec /bin/sh -c 'echo $PPID')$rdo_bell"
    exec 2>&3 3>&-
    exec @COMMAND@
)
wait_for_job
