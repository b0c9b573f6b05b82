"""Local and remote paths: mapped in arguments, recognised in output, and mapped back. Pure."""
