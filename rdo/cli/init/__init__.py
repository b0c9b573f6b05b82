"""`rdoctl init`: what a project says about its target, asked for and written down."""
