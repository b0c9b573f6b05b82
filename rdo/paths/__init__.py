"""Paths here and paths there: mapped, found in output, and mapped back. Pure."""
