"""The script that finds out on a target what commands listen on. Pure, except for one of rdo's own files.

It first prints its method: `proc`, `ss` or `lsof`, or else `none` before it exits. Then it reads lines, each with the
process ids of the commands' shells, and answers each with a line that has only a dot. If something has changed since
the previous answer, the dot is preceded by a line with `!`, and a line for each socket on which one of the commands
listens: shell, process, address and program name. The address may have the form that /proc uses. If other processes
listen on the same port, their sockets follow, with 0 for shell and process.

The script exits at the end of its stdin, and has no clock: whoever writes to it decides how often it looks. Nearly
always nothing has changed, as it can tell from the numbers of sockets and connections. A line that begins with `+`
makes it list the sockets in any case, which is expensive: a machine that can hold many connections has to go through a
large table. Starting a program would cost even more, so a single awk program does everything. Processes are examined
only after a change.
"""

from __future__ import annotations

from rdo.remote_sh.template import fill, load, quote

PROC, SS, LSOF, NONE = b"proc", b"ss", b"lsof", b"none"
"""The methods."""

LOOK = b"+"
BUSY_LOOKS = 2
"""Most looks to skip after several that found only sockets of other processes, since there may be many processes to
examine."""

CHANGED = b"!"
END = b"."

_OWNERS = r"""
# The shell of the command that a process belongs to, by its session, group or parents; 0 if there is none.
function shell(p, depth) {
    if (depth > 200 || !(p in parent)) return 0
    if (p in wanted) return p
    if (session[p] in wanted) return session[p]
    if (group[p] in wanted) return group[p]
    return shell(parent[p], depth + 1)
}
"""

_PROC = r"""
# Reads all processes; see proc(5). A name may contain anything, even a newline, which the kernel does not escape.
function read_processes(line, text, rest, part) {
    split("", parent)
    while (("cat /proc/[1-9]*/stat 2>/dev/null" | getline line) > 0) {
        text = text line
        if (text !~ /^[0-9]+ \(.*\) [A-Z] [0-9]/) {
            text = text "?"
            continue
        }
        rest = text
        sub(/.*\) /, "", rest)
        split(rest, part, " ")
        line = substr(text, 1, index(text, " ") - 1)
        parent[line] = part[2]; group[line] = part[3]; session[line] = part[4]
        name[line] = substr(text, length(line) + 3, length(text) - length(rest) - length(line) - 4)
        text = ""
    }
    close("cat /proc/[1-9]*/stat 2>/dev/null")
}
# The number of sockets, and of connections so far; see proc(5). Empty if the file cannot be read.
function count_of(file, line, part, found) {
    while ((getline line < file) > 0) if (line ~ /^(TCP6?: inuse|Tcp: [0-9])/) {
        split(line, part, " ")
        found = (part[1] == "Tcp:") ? part[6] " " part[7] " " part[8] " " part[9] " " part[10] : part[3]
    }
    close(file)
    return found ";"
}
# proc(5): a listening socket is in state 0A.
function read_table(file, line, part) {
    while ((getline line < file) > 0) if (line ~ / 0A [0-9A-F]+:/) {
        split(line, part, " ")
        sockets = sockets part[2] " " part[10] "\n"
    }
    close(file)
}
function read_ss(line, part) {
    while (("ss -tlne 2>/dev/null" | getline line) > 0) if (match(line, / ino:[0-9]+ /)) {
        split(line, part, " ")
        sockets = sockets part[4] " " substr(line, RSTART + 5, RLENGTH - 6) "\n"
    }
    close("ss -tlne 2>/dev/null")
}
# Finds the owners of sockets in the directories of processes. Returns 0 if none of these is readable.
function look(program, dirs, line, part, p, found) {
    program = program "ls -n /dev/null" dirs " 2>/dev/null"
    while ((program | getline line) > 0) {
        if (line ~ /^\/proc\/[0-9]+\/fd:$/) {
            split(line, part, "/")
            p = part[3]
            seen[p]; found = 1
        } else if (line ~ / -> socket:\[[0-9]+\]$/) {
            sub(/.*\[/, "", line); sub(/\]$/, "", line)
            if ((line in address) && (!(line in owner) || p + 0 < owner[line] + 0)) owner[line] = p
        }
    }
    close(program)
    return found
}
function port(i, text) {
    text = address[i]
    sub(/.*:/, "", text)
    return text
}
function by_inode(count, lines, part, i, p, dirs, by_sudo) {
    split("", address); split("", owner); split("", seen); split("", ours)
    count = split(sockets, lines, "\n")
    for (i = 1; i < count; i++) {
        split(lines[i], part, " ")
        address[part[2]] = part[1]
    }
    read_processes()
    for (p in parent) if (shell(p, 0)) {
        dirs = dirs " /proc/" p "/fd"
        if (name[p] == "sudo") by_sudo = 1
    }
    if (dirs) look("", dirs)
    if (by_sudo && !no_sudo) {
        dirs = ""
        for (p in parent) if (!(p in seen) && shell(p, 0)) dirs = dirs " /proc/" p "/fd"
        no_sudo = dirs && !look("sudo -n ", dirs)
    }
    found = 0
    for (i in owner) {
        print shell(owner[i], 0), owner[i], address[i], name[owner[i]]
        ours[port(i)]
        found += i
    }
    for (i in address) if (!(i in owner) && (port(i) in ours)) print 0, 0, address[i], "-"
    return found
}
"""
"""For targets with /proc. Only root may see the owners of other users' sockets, so sudo is used if a command was run by
it, but not again if it would ask for a password."""

_LSOF = r"""
# lsof examines every process it is given, so it gets only those of the commands. On Linux `sess` is the session's id.
function by_lsof(part, p, list, program, line, kind, title, any, found) {
    split("", parent)
    program = "ps -A -o pid= -o ppid= -o pgid= -o sess= 2>/dev/null"
    while ((program | getline line) > 0) {
        split(line, part, " ")
        parent[part[1]] = part[2]; group[part[1]] = part[3]; session[part[1]] = part[4]
    }
    close(program)
    for (p in parent) if (shell(p, 0)) list = list "," p
    if (!list) return ""
    program = "lsof -nP -a -p " substr(list, 2) " -iTCP -sTCP:LISTEN -FpctPn 2>/dev/null"
    while ((program | getline line) > 0) {
        kind = substr(line, 1, 1)
        line = substr(line, 2)
        if (kind == "p") p = line
        if (kind == "c") title = line
        if (kind == "t") any = (line == "IPv6") ? "[::]" : "0.0.0.0"
        if (kind == "n") {
            sub(/^\*/, any, line)
            found = found shell(p, 0) " " p " " line " " title "\n"
        }
    }
    close(program)
    return found
}
"""

_MAIN = r"""
function list_sockets() {
    sockets = ""
    if (how == "ss") read_ss()
    else { read_table("/proc/net/tcp"); read_table("/proc/net/tcp6") }
}
# If other processes keep starting to listen, not every change makes it look for commands: see BUSY_LOOKS.
{
    is_forced = ($1 == "+")
    line = $0
    split("", wanted)
    for (i = 1; i <= NF; i++) wanted[$i]
    sub(/^\+ ?/, "", line)
    if (line != line_before) is_forced = 1
    line_before = line
    if (waits && !is_forced) waits--
    else if (how == "lsof") {
        now = by_lsof()
        if (now != before) printf "!\n%s", now
        before = now
    } else {
        count = count_of("/proc/net/sockstat") count_of("/proc/net/sockstat6") count_of("/proc/net/snmp")
        if (is_forced || count ~ /^;|;;$/ || count != count_before) list_sockets()
        count_before = count
        now = line ":" sockets
        if (now == before) idle = 0
        else {
            before = now
            print "!"
            idle = (by_inode() == found_before) ? idle + 1 : 0
            found_before = found
            waits = (idle > @BUSY@) ? @BUSY@ : (idle > 1) ? idle - 1 : 0
        }
    }
    print "."
    fflush()
}
"""


def _plain(program: str) -> str:
    """The program without comments and indentation."""
    lines = (line.strip() for line in program.split("\n"))
    return "\n".join(line for line in lines if line and not line.startswith("#"))


_PROGRAM = fill(_OWNERS + _PROC + _LSOF + _MAIN, BUSY=str(BUSY_LOOKS))

SCRIPT = fill(load("listening"), PROGRAM=quote(_plain(_PROGRAM)))
"""The script for /bin/sh."""
