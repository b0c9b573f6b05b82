"""The ways to reach a target."""
