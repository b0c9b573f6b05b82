"""Makes the man pages beside it from what `--help` shows, so that there is one text to keep: `make man`."""
