"""`rdoctl`, one command a module."""
