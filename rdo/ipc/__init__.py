"""Both ends of the control socket: the messages, the socket, and who is at the other end."""
