"""Local executables that run a tool on the target."""
