# shellcheck shell=sh
# Read before the script, with a secret that no argument list shows. By printing it, the shell proves that it has the
# process id it reports, and the shell's marks begin with it. Uses `echo`, a builtin in every shell, since in mksh, yash
# and posh `printf` is a program.
#
# yash also reports its name and locale; see `takes` in bootstrap.py.
#
# On the wire: rdo_mark=rdo_k rdo_bell=rdo_b
# shellcheck disable=SC2034 # see job.sh
rdo_mark='@ESCAPE@]rdo;@SECRET@' rdo_bell='@BELL@'
echo "@SECRET@ $$ ${YASH_VERSION+yash:${LC_ALL:-${LC_CTYPE:-${LANG-}}}}"
@READ_SCRIPT@
