"""`rdoctl ide`: configures editors."""
