"""The `rdo` that a person types: it sends one request to the control master, and is the terminal of one command."""
