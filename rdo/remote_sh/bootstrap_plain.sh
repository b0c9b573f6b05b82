# shellcheck shell=sh
# As bootstrap.sh, for a shell before which nothing can have written to stderr.
echo "@NONCE@ $$ ${SHELL-}"
@READ_SCRIPT@
