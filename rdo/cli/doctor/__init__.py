"""`rdoctl doctor`: what it checks."""
