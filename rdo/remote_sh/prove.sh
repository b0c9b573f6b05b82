# shellcheck shell=sh
# Read before the script, with a secret that no argument list shows: by it the shell proves that it has the process
# id, and begins its marks. By `echo`, which every shell has built in: what mksh, yash and posh call `printf` is a
# program.
#
# yash says that it is yash, and its locale: see `takes` in bootstrap.py.
#
# On the wire: rdo_mark=rdo_k rdo_bell=rdo_b
# shellcheck disable=SC2034 # see job.sh
rdo_mark='@ESCAPE@]rdo;@SECRET@' rdo_bell='@BELL@'
echo "@SECRET@ $$ ${YASH_VERSION+yash:${LC_ALL:-${LC_CTYPE:-${LANG-}}}}"
@READ_SCRIPT@
