"""The help texts of `rdo` and `rdo-rsh`, and the version. Not on the hot path.

The man pages are generated from these texts: blocks are separated by empty lines, options indented by two, and titles
end in a colon.
"""

from __future__ import annotations

from rdo import __version__
from rdo.client.argv import Options
from rdo.client.stdout import show_text

HELP = """\
rdo: run a command in the matching directory of a VM, host or container

Usage: rdo [OPTION]... [COMMAND [ARGUMENT]...]
       rdo [OPTION]... -c STRING [NAME [ARGUMENT]...]

The nearest .rdo.conf at or above the working directory names the target. The
first word that is not an option starts the command; rdo interprets nothing
after it. Without a command, rdo opens a login shell in the matching directory.

  -p, --profile NAME      use this profile (or $RDO_PROFILE)
  -e, --env NAME[=VALUE]  set a variable; without a value, pass on the caller's
  -c STRING               run a shell string, as `sh -c` does; options of sh may
                          come before it, as in -ec, -nc or -euo pipefail -c
  -C DIR                  run as if rdo had been started in DIR
      --project DIR       use the .rdo.conf of DIR; outside of DIR, run in DIR
      --fallback          follow the key `local_fallback`, as shims do
      --dir REMOTE        run in this directory on the target
      --no-map            leave local paths in arguments unchanged
  -m, --map-output        rewrite the target's paths in output to local ones
      --no-map-output     leave them unchanged, whatever `map_output` says
  -s, --sudo              run as root
  -u, --user USER         run as this user, as with `docker exec -u`, `sudo -u`
  -t, -T                  run with a terminal, or without one (default: with one
                          if stdin, stdout and stderr are all terminals)
  -n                      give the command an empty stdin
  -L PORT[:HOST:PORT]     forward a port here to the target, as with `ssh -L`
  -R PORT[:HOST:PORT]     forward a port there to this machine, as with `ssh -R`
  -D [ADDRESS:]PORT       run a SOCKS proxy here, as with `ssh -D`
      --no-sync           copy no files, whatever the key `sync` says
      --sync-only         copy what changed on either side, and run nothing
      --watch             run the command again after each change of a file here
  -v, --verbose           report each step on stderr, with times
  -h, --help              show this text
      --version           show the version

Examples:
  rdo make test                     run make on the target
  rdo -c 'cd src && ls | wc -l'     run a shell string
  rdo -e CI=1 tox -e py312          set a variable for a command with options
  rdo python < job.py > out.txt     redirect, as with a local command
  make SHELL=rdo                    run a Makefile's recipes on the target
  rdo                               open a shell on the target

Exit status: that of the command; 128+N if signal N ended it; 255, with a line
`rdo: ...` on stderr, if rdo itself fails. See also: rdoctl --help
"""

RSH_HELP = """\
rdo-rsh: a replacement for ssh in programs that call it, over rdo's connection

Usage: rdo-rsh [OPTION]... [USER@]HOST [WORD]...
       rdo-rsh [OPTION]... '' [WORD]...

The words are joined with spaces and run by a shell on the target, as with ssh:
in the login directory or, if the host is empty, in the directory that matches
the working directory. A host other than that of the profile is refused.

  --profile NAME          use this profile
  --project DIR           use the .rdo.conf of DIR
  -l USER, -p PORT        refused unless they are those of the target
  -o NAME=VALUE           as in ssh_config: HostName, Port, User, RequestTTY,
                          SendEnv, SetEnv and StdinNull take effect
  -t, -tt, -T             run with a terminal if stdin is one, always, or never
  -n                      give the command an empty stdin
  -v                      report each step on stderr, with times
  -G                      show the resulting options, and run nothing
  -O check|exit|stop      do nothing: ssh has no control master here
  -V, --help              show the version, or this text

Other options of ssh that affect only the connection are ignored, because it is
already open. Those that forward ports, create tunnels or need a subsystem such
as sftp are refused.

Examples:
  rsync -a -e rdo-rsh ./ :                   copy this directory to the target
  rsync -a -e rdo-rsh :build/ build/         copy a directory back
  GIT_SSH_COMMAND=rdo-rsh git fetch          fetch from a repository on the target

Exit status: that of the command; 255, with a line `rdo: ...` on stderr, if rdo
itself fails. See also: rdo --help
"""


def show(options: Options) -> int:
    """Print what was asked for, and return the exit status. Raises RdoError."""
    return show_text(f"rdo {__version__}\n" if options.version else HELP)
