"""`rdo-rsh`: stands in for ssh(1) in programs that take a remote shell."""
