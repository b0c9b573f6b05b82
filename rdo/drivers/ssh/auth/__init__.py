"""Logging in to an SSH server: keys, agents, passwords."""
