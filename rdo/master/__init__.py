"""The control master: the daemon that holds the connections, and runs commands over them."""
