"""`rdoctl service`: units by which systemd or launchd starts the control master."""
