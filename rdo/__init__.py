"""rdo, "remote do": run a command on the target that belongs to this directory. Imports nothing."""

__version__ = "0.1.0"
