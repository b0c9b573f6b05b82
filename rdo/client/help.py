"""The help texts of `rdo` and `rdo-rsh`, and the version. Not on the hot path.

The man pages are made from these texts: blocks apart by empty lines, options indented by two, titles with a colon.
"""

from __future__ import annotations

from rdo import __version__
from rdo.client.argv import Options

HELP = """\
rdo, "remote do": run a command where this code runs, as if it were here

Usage: rdo [OPTION]... [COMMAND [ARGUMENT]...]
       rdo [OPTION]... -c STRING [NAME [ARGUMENT]...]

The nearest .rdo.conf at or above the working directory names the target. The
first word that is no option starts the command; nothing after it is read by
rdo. Without a command: a login shell in the matching directory.

  -p, --profile NAME      use this profile (or $RDO_PROFILE)
  -e, --env NAME[=VALUE]  set a variable; without a value, the caller's
  -c STRING               run a shell string, as `sh -c` does, also with further
                          options of sh: -ec, -euo pipefail -c. All options
                          that POSIX has there are sh's, also -n and -v
  -C DIR                  as if started in DIR
      --project DIR       use DIR's .rdo.conf; outside of DIR, run in DIR itself
      --fallback          obey the key local_fallback, as shims do
      --dir REMOTE        run in this directory of the target
      --no-map            leave local paths in arguments as they are
  -m, --map-output        rewrite the target's paths in output to local ones
      --no-map-output     leave them as they are, whatever `map_output` says
  -s, --sudo              run as root
  -u, --user USER         run as this user of the target, as `docker exec -u` or
                          `sudo -u` does
  -t, -T                  with a terminal, without one (default: with one if
                          stdin, stdout and stderr are all terminals)
  -n                      no stdin
  -v, --verbose           say on stderr what happens, with times
  -h, --help              show this text
      --version           show the version

Examples:
  rdo make test                     run it there
  rdo -c 'cd src && ls | wc -l'     a shell string
  rdo -e CI=1 tox -e py312          a variable, and a command with options
  rdo python < job.py > out.txt     streams are separate and exact
  make SHELL=rdo                    a Makefile's recipes on the target
  rdo                               a shell there

Exit status: the command's own; 128+N if signal N ended it; 255 with a line
`rdo: ...` for a failure of rdo itself. See also: rdoctl --help
"""

RSH_HELP = """\
rdo-rsh: a remote shell for programs that call ssh, over the connection of rdo

Usage: rdo-rsh [OPTION]... [USER@]HOST [WORD]...
       rdo-rsh [OPTION]... '' [WORD]...

The words, with blanks between, are a shell string there, as with ssh. It runs
in the login directory; or, where the host is left empty, in the directory that
matches the working directory. Any other host than the profile's is refused.

  --profile NAME          use this profile
  --project DIR           use DIR's .rdo.conf
  -l USER, -p PORT        refused unless they are the target's own
  -o NAME=VALUE           as in ssh_config: HostName, Port, User, RequestTTY,
                          SendEnv, SetEnv and StdinNull count
  -t, -tt, -T             with a terminal if stdin is one, in any case, without
  -n                      no stdin
  -v                      say on stderr what happens, with times
  -G                      show what the options come to, and run nothing
  -O check|exit|stop      do nothing: there is no control master of ssh
  -V, --help              show the version, show this text

Further options of ssh concern the connection, which is there, and are ignored.
Those that forward ports, make tunnels or need a subsystem such as sftp are
refused.

Examples:
  rsync -a -e rdo-rsh ./ :                   this directory to the matching one
  rsync -a -e rdo-rsh :build/ build/         and back
  GIT_SSH_COMMAND=rdo-rsh git fetch          from a repository on the target

Exit status: the command's own; 255 with a line `rdo: ...` for a failure of rdo
itself. See also: rdo --help
"""


def show(options: Options) -> int:
    """Print what was asked for; the exit status."""
    print(f"rdo {__version__}" if options.version else HELP, end="\n" if options.version else "", flush=True)
    return 0
