"""Makes the man pages from what `--help` shows, so that there is only one text to maintain: `make man`."""
