"""`rdoctl init`: finds out a project's target, asks for what is missing, and writes the config."""
