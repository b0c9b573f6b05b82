"""`rdoctl doctor`: its checks."""
