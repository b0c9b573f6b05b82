"""Port forwarding, in both directions: ports of the target that are reachable here, and ports of this machine there."""
