"""What is held to one target: connections, the shells that wait on them, and the lifeline of each."""
