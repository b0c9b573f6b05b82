"""Ports of a target that are reached here, and the other way round."""
