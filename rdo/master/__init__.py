"""The control master: the daemon that holds the connections, and serves commands over them."""
