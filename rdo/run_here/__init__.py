"""What rdo runs on this machine instead of the target."""
