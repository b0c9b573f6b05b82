"""What is kept open to a target: connections, the warm shells on them, and the lifeline of each connection."""
