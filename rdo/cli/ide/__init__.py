"""`rdoctl ide`: what each editor needs."""
