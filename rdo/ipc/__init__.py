"""Both ends of the control socket: the messages, the socket itself, and the identity of the peer."""
